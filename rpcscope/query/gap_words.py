"""The one way to say what was missed, on every screen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rpcscope.query.gaps import Loss
from rpcscope.query.times import iso
from rpcscope.query.words import CAUSES, duration

MARK = "*"
"""Stands at a total that may be too low."""
WHY = {
    **{cause.name.lower(): words for cause, words in CAUSES.items()},
    "bindings": "the tap saw requests alone",
    "off": "the tap had let go",
}
"""Why messages were missed, by `Loss.cause`."""


def blind(losses: Sequence[Loss]) -> str:
    """`blind 3.2 s from 2026-11-20T13:02:11Z: its queue was full, about 40 messages missed`."""
    whole = sum(one.to_ns - one.from_ns for one in losses)
    if len(losses) == 1:
        return f"blind {duration(whole)} from {_at(losses[0].from_ns)}: {_reason(losses[0].cause, losses)}"
    by_cause: defaultdict[str, list[Loss]] = defaultdict(list)
    for one in losses:
        by_cause[one.cause].append(one)
    reasons = (f"{_reason(cause, mine)} ({_times(len(mine))})" for cause, mine in sorted(by_cause.items()))
    span = f"between {_at(min(one.from_ns for one in losses))} and {_at(max(one.to_ns for one in losses))}"
    return f"blind {len(losses):,} times, {duration(whole)} in all, {span}: {'; '.join(reasons)}"


def _reason(cause: str, losses: Sequence[Loss]) -> str:
    return f"{WHY.get(cause, cause)}, {_missed(losses)}"


def _missed(losses: Sequence[Loss]) -> str:
    known = [one.estimate for one in losses if one.estimate is not None]
    if len(known) == len(losses):
        return f"about {sum(known):,} messages missed"
    if not known:
        return "an unknown number of messages missed"
    return f"about {sum(known):,} messages and an unknown number more missed"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _at(ns: int) -> str:
    return f"{(iso(ns) or '?')[:19]}Z"
