"""What a call did with its time, as stages that follow each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from rpcscope.model import Call, Clock, Outcome
from rpcscope.query.calls import CallView
from rpcscope.query.times import MS
from rpcscope.query.tree import Node, walk

WAIT, POOL_WAIT, EXECUTION, REPLY_WAIT, WHOLE = "wait", "pool-wait", "execution", "reply-wait", "whole"
STAGE_WORDS = {
    WAIT: "in the queue",
    POOL_WAIT: "in the server, waiting for a thread of its pool",
    EXECUTION: "in the server; waiting for a thread of its pool included, where that is not told",
    REPLY_WAIT: "reply on its way",
    WHOLE: "queue and server, not told apart",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a call."""

    name: str  # wait | pool-wait | execution | reply-wait | whole: queue and server, where no delivery was seen
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
    if call.clock is Clock.HOST:  # who sent it and who worked on it may have clocks of their own
        times = [(call.delivered_ns, EXECUTION), (call.replied_ns, "")]
    elif call.clock is not Clock.TAP:
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


def staged(view: CallView) -> tuple[Stage, ...]:
    """The stages of a call, by what its processes told of it where they told how long each was.

    They follow each other from its publish: the lengths are those of the hosts' clocks, the place is that of the tap's.
    """
    told = view.four
    if told is None or told.broker_wait_ns is None or told.pool_wait_ns is None:
        return stages(view.call)
    names = (WAIT, POOL_WAIT, EXECUTION, REPLY_WAIT)
    lengths = (told.broker_wait_ns, told.pool_wait_ns, told.execution_ns, told.reply_wait_ns)
    found: list[Stage] = []
    at_ns = begin(view.call)
    for name, length in zip(names, lengths, strict=True):
        if length is None:
            break
        found.append(Stage(name, at_ns, at_ns + length))
        at_ns += length
    return tuple(found)


def end(call: Call) -> int:
    """The end of its last stage; the last time known of it when none has an end."""
    last = max((stage.to_ns for stage in stages(call)), default=0)
    return max(begin(call), last or call.last_ns)


def given_up(call: Call) -> int | None:
    """When the caller of a call that timed out stopped waiting."""
    if call.outcome is not Outcome.TIMED_OUT or call.expiration_ms is None or call.published_ns is None:
        return None
    return call.published_ns + call.expiration_ms * MS


def ends(roots: Iterable[Node], until_ns: int = 0, *, waited_for: bool = False) -> dict[str, int]:
    """When each call and all that its handling caused was over, by unique id.

    Args:
        until_ns: so long calls went on that still wait for an answer.
        waited_for: what comes after a caller gave up is not counted, but of the roots.
    """
    found: dict[str, int] = {}
    for depth, node in reversed(list(walk(list(roots)))):
        call = node.view.call
        given = given_up(call) if waited_for and depth else None
        below = (found[child.view.call.unique_id] for child in node.children)
        found[call.unique_id] = given if given is not None else max((_over(node.view, until_ns), *below))
    return found


def _over(view: CallView, until_ns: int) -> int:
    waits = view.outcome in (Outcome.PENDING, Outcome.UNANSWERED) and view.call.replied_ns is None
    return max(end(view.call), until_ns if waits else 0, given_up(view.call) or 0)
