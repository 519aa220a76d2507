"""How modes, gaps and durations are said to people, on every screen alike."""

from __future__ import annotations

from rpcscope.model import GapCause
from rpcscope.query.times import SECOND

SEES = {
    "publish": "messages as they are sent, no deliveries",
    "control": "all messages; no deliveries of replies and of fanout copies",
    "full": "all messages and all deliveries",
    "bindings": "requests alone: no replies, no deliveries",
    "inside": "what services tell of their own calls; nothing of the bus",
    "off": "nothing: it let go of the broker",
}
"""What a tap sees in each of its modes."""

CAUSES = {
    GapCause.DROPPED: "its queue was full",
    GapCause.DISCONNECTED: "no connection to the broker",
    GapCause.NOT_TRACED: "tracing was off, or the tap had let go",
    GapCause.STORE: "the database refused",
    GapCause.INSIDE: "the tap of a service, or of notifications, could not tell all",
}
"""Why a tap was blind."""


def duration(ns: int) -> str:
    """How long, in the two units that tell it."""
    seconds = max(0, ns) / SECOND
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} days {hours % 24} h"


def amount(count: float | None) -> str:
    """Bytes in the unit of 1,000 that tells them."""
    if count is None:
        return "an unknown amount"
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:,.0f} B" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"
