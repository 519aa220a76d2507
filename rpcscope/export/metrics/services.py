"""Which service and host a process is of, by its id: what metrics call it."""

from __future__ import annotations

from collections.abc import Iterable

from rpcscope.model import Process
from rpcscope.query.service_names import UNKNOWN, service_of

OTHER = "other"
MOST = 100_000
"""Processes that are remembered: a hundred thousand agents."""


class Services:
    """Learns processes as they become known. Not for several threads at once."""

    def __init__(self) -> None:
        """Nobody is known yet."""
        self._known: dict[int, tuple[str, str]] = {}

    def learn(self, processes: Iterable[Process]) -> None:
        """Remember who they are; the longest known are forgotten when there are too many."""
        for one in processes:
            self._known.pop(one.id, None)
            self._known[one.id] = (service_of(one.program, one.role) or UNKNOWN, one.host)
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]

    def knows(self, process: int) -> bool:
        """Whether it was learned."""
        return process in self._known

    def name(self, process: int) -> str:
        """The service of a process: its program, else the topic that it consumes."""
        known = self._known.get(process)
        return known[0] if known else UNKNOWN

    def host(self, process: int) -> str:
        """The host of a process; "" while it is unknown."""
        known = self._known.get(process)
        return known[1] if known else ""
