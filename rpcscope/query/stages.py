"""What a call did with its time, as stages that follow each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from rpcscope.model import Call, Clock
from rpcscope.query.tree import Node, walk

WAIT, EXECUTION, REPLY_WAIT, WHOLE = "wait", "execution", "reply-wait", "whole"
STAGE_WORDS = {
    WAIT: "in the queue",
    EXECUTION: "in the server",
    REPLY_WAIT: "the reply on its way",
    WHOLE: "in queue and server together",
}
"""Waiting for a thread of the server's pool is a part of `in the server`: the broker does not see it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a call."""

    name: str  # wait | execution | reply-wait | whole: queue and server, where no delivery was seen
    from_ns: int
    to_ns: int

    @property
    def took_ns(self) -> int:
        """How long."""
        return self.to_ns - self.from_ns


def begin(call: Call) -> int:
    """The first time known of it."""
    return call.published_ns or call.delivered_ns or call.replied_ns or call.last_ns


def stages(call: Call) -> tuple[Stage, ...]:
    """Its stages by time, as far as both ends were seen. Times of two clocks are not set against each other."""
    if call.clock is not Clock.TAP:
        times = [(call.published_ns, WHOLE), (call.replied_ns, "")]
    elif call.delivered_ns is None:
        times = [(call.published_ns, WHOLE), (call.replied_ns, REPLY_WAIT), (call.reply_delivered_ns, "")]
    else:
        times = [
            (call.published_ns, WAIT),
            (call.delivered_ns, EXECUTION),
            (call.replied_ns, REPLY_WAIT),
            (call.reply_delivered_ns, ""),
        ]
    return tuple(
        Stage(name, start, max(start, end))
        for (start, name), (end, _) in pairwise(times)
        if start is not None and end is not None
    )


def end(call: Call) -> int:
    """The end of its last stage; the last time known of it when none has an end."""
    last = max((stage.to_ns for stage in stages(call)), default=0)
    return max(begin(call), last or call.last_ns)


def ends(roots: Iterable[Node]) -> dict[str, int]:
    """When each call and all that its handling caused was over, by unique id."""
    found: dict[str, int] = {}
    for _, node in reversed(list(walk(list(roots)))):
        below = (found[child.view.call.unique_id] for child in node.children)
        found[node.view.call.unique_id] = max((end(node.view.call), *below))
    return found
