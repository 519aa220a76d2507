"""Which service is at each end of a call: a program, else the topic that it consumes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from rpcscope.model import Process
from rpcscope.store.traffic import TrafficSum

UNKNOWN = "unknown"


def service_of(program: str, role: str) -> str:
    """What a process is called; "" of one of which nothing is known."""
    return program or role


class ServiceNames:
    """Names the services of some processes and traffic."""

    def __init__(self, processes: Iterable[Process], sums: Iterable[TrafficSum] = ()) -> None:
        programs: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for process in processes:
            if process.role and process.program:
                programs[process.role][process.program] += 1
        for one in sums:
            if one.topic and one.to_program:
                programs[one.topic][one.to_program] += 1
        # The most common; of several the first by name.
        self._programs = {topic: min(found, key=lambda name: (-found[name], name)) for topic, found in programs.items()}

    def by_topic(self, topic: str) -> str:
        """Who consumes a topic: the program that was seen to, else the topic's own name."""
        return self._programs.get(topic, topic) or UNKNOWN

    def sender(self, one: TrafficSum) -> str:
        """Who sent the calls."""
        return service_of(one.from_program, one.from_role) or UNKNOWN

    def worker(self, one: TrafficSum) -> str:
        """Who took the calls; of those that nobody was seen to take, who their topic is for."""
        return service_of(one.to_program, one.to_role) or self.by_topic(one.topic)
