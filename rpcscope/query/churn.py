"""What came and went on the brokers: queues, connections, consumers."""

from __future__ import annotations

from dataclasses import dataclass

from rpcscope.model import Churn
from rpcscope.query.levels import POINTS
from rpcscope.query.queues import beginning, is_of
from rpcscope.query.times import iso
from rpcscope.store.protocol import Reader

WORDS = {
    Churn.QUEUE_CREATED: ("queue", "came"),
    Churn.QUEUE_DELETED: ("queue", "went"),
    Churn.CONNECTION_CREATED: ("connection", "came"),
    Churn.CONNECTION_CLOSED: ("connection", "went"),
    Churn.CONSUMER_CREATED: ("consumer", "came"),
    Churn.CONSUMER_DELETED: ("consumer", "went"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Events of one kind within one part of a time."""

    at_ns: int  # of the first
    event: Churn
    count: int
    queues: tuple[str, ...] = ()  # to which it happened, where one queue or family is asked for

    @property
    def thing(self) -> str:
        """What came or went: queue, connection or consumer."""
        return WORDS[self.event][0]

    @property
    def came(self) -> bool:
        """It came; else it went."""
        return WORDS[self.event][1] == "came"

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "at": iso(self.at_ns),
            "what": self.thing,
            "came": self.came,
            "count": self.count,
            "queues": list(self.queues),
        }


def churn_marks(
    reader: Reader, from_ns: int, to_ns: int, name: str = "", *, vhost: str = "", points: int = POINTS
) -> list[Mark]:
    """Events of a time in parts of it, the oldest first; of everything, or of one queue or family.

    A connection is nobody's queue: it is only in what is told of everything, and its end, which names no vhost, in
    what is told of each.
    """
    step_ns = max(1, -(-(to_ns - from_ns) // points))
    found: dict[tuple[int, Churn], Mark] = {}
    starting = beginning(name) if name else ""
    for step in reader.churn_steps(from_ns, to_ns, step_ns, starting=starting, vhost=vhost):
        if name and not is_of(name, step.queue):
            continue
        key = ((step.at_ns - from_ns) // step_ns, step.event)
        known = found.get(key)
        found[key] = Mark(
            at_ns=min(known.at_ns, step.at_ns) if known else step.at_ns,
            event=step.event,
            count=step.count + (known.count if known else 0),
            queues=tuple(dict.fromkeys((*(known.queues if known else ()), *filter(None, (step.queue,))))),
        )
    return sorted(found.values(), key=lambda mark: (mark.at_ns, mark.event))
