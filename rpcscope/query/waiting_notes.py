"""Why what waits by the messages and what waits by the broker's own number may differ, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from rpcscope.query.times import SECOND, iso
from rpcscope.query.untaken import MOST
from rpcscope.query.waiting import Waiting
from rpcscope.query.words import duration

_LATE_NS = SECOND


def notes(found: Waiting) -> list[str]:
    """What has to be known to read the numbers, the most important first; nothing when they agree and are whole."""
    if found.unknown:
        return [f"What is in it can not be told: {found.unknown}."]
    return [*_left_out(found), *_difference(found), *_unacked(found)]


def _left_out(found: Waiting) -> Iterator[str]:
    if found.watch.ended:
        yield f"The recording has ended: this is what waited at {iso(found.watch.as_of_ns)}."
    if found.watch.lag_ns is not None and found.watch.lag_ns > _LATE_NS:
        yield f"The recorder reads {duration(found.watch.lag_ns)} late: what was taken since is still counted."
    if found.doubtful:
        yield (
            f"Not counted: {_many(found.doubtful, 'message')} published before {iso(found.watch.sure_ns)}, when the "
            "tap was blind or saw no deliveries: taken meanwhile, or still there."
        )
    if found.expired:
        yield (
            f"Not counted: {_many(found.expired, 'call')} whose time is over. The broker drops such a call once it is "
            "the first in its queue, and counts it until then."
        )
    if not found.is_whole:
        yield f"More than {MOST:,} closed calls were to be looked at, so there are more than this: ask less far back."


def _difference(found: Waiting) -> Iterator[str]:
    depth = found.depth
    if depth is None:
        yield "How many the broker itself counts is unknown: its queues are not sampled (see `rpcscope record --help`)."
    elif not depth.queues:
        yield f"The broker had no such queue at {iso(depth.at_ns)}: what was sent to it waits nowhere."
    elif depth.ready is not None and depth.ready > found.count + found.expired:
        yield f"The broker counts {depth.ready - found.count:,} more: {_why_more(found, depth.at_ns)}."
    elif depth.ready is not None and depth.ready < found.count:
        yield (
            f"The broker counts {found.count - depth.ready:,} fewer: published{_since_poll(found, depth.at_ns)}, gone "
            "without a delivery (purged, dropped by a limit, lost with a queue or a node), or taken from a new queue "
            "before the tap knew of it."
        )


def _why_more(found: Waiting, polled_ns: int) -> str:
    above = ", those above" if found.doubtful or found.expired else ""
    return (
        f"published before {iso(found.from_ns)}, from when on they are known here{above}, taken"
        f"{_since_poll(found, polled_ns)}, or no messages of oslo.messaging"
    )


def _since_poll(found: Waiting, polled_ns: int) -> str:
    age_ns = found.watch.as_of_ns - polled_ns
    return f" in the {duration(age_ns)} since it was asked" if age_ns > 0 else " shortly before it was asked"


def _unacked(found: Waiting) -> Iterator[str]:
    if found.depth is not None and found.depth.unacked:
        yield (
            f"{_many(found.depth.unacked, 'message')} more taken and not acknowledged, as the broker says; which "
            "is unknown, for no tap sees acknowledgements."
        )


def _many(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"
