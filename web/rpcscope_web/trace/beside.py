"""The words beside a bar of the waterfall, and where there is room for them."""

from __future__ import annotations

from dataclasses import dataclass

from rpcscope.model import Flag, MessageKind, Outcome
from rpcscope.query.calls import KIND_WORDS, CallView
from rpcscope_web.trace.names import cut
from rpcscope_web.words import lasted, plural

_LONGEST = 28
_ROOM = 28.0
"""Per cent of the picture that words need."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where words begin, or end."""

    x: float  # per cent
    dx: int  # pixels
    side: str  # after | before | inside the bar | over what is thin


def place(from_x: float, to_x: float, bar_width: float) -> Place:
    """After what is drawn, before it, or on it."""
    if to_x < 100 - _ROOM:
        return Place(to_x, 6, "after")
    if from_x > _ROOM:
        return Place(from_x, -6, "before")
    return Place(from_x, 8, "inside" if bar_width > _ROOM else "over")


def said(view: CallView) -> str:
    """How long it took, or how it ended."""
    if view.call.kind is not MessageKind.REQUEST:
        return KIND_WORDS[view.call.kind]
    if view.total_ns is not None:
        return str(lasted(view.total_ns))
    return view.outcome_word.replace("_", " ")


def reason(view: CallView) -> str:
    """What is worth saying besides."""
    call, parts = view.call, []
    if call.failure:
        parts.append(f"{'expected:' if call.flags & Flag.EXPECTED_FAILURE else '✕'} {cut(call.failure, _LONGEST)}")
    elif view.outcome is Outcome.TIMED_OUT and call.replied_ns is not None:
        parts.append("✕ after the caller's time")
    if call.heartbeats and not view.reply_is_unseen:
        parts.append(f"{'❘' * min(call.heartbeats, 8)} {plural(call.heartbeats, 'heartbeat')}")
    return ", ".join(parts)


def is_bad(view: CallView) -> bool:
    """It did not do what was asked of it, unless that was to be expected."""
    failed = view.outcome is Outcome.FAILED and not view.call.flags & Flag.EXPECTED_FAILURE
    return failed or view.outcome in (Outcome.TIMED_OUT, Outcome.UNANSWERED)
