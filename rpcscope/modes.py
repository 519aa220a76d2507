"""What each mode of a tap sees, by the name that `model.TapPhase.mode` and `model.Recording.tap_mode` have for it."""

from __future__ import annotations

from dataclasses import dataclass

from rpcscope.model import Counters

REQUESTS_ONLY = "bindings"
"""A tap on the services' exchanges: no replies, no deliveries, nobody's connection."""
OFF = "off"
"""A tap that has let go: it sees nothing."""
INSIDE = "inside"
"""No tap on the bus: calls are what the processes themselves tell of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a mode sees. What it does not see is unknown, never absent."""

    requests: bool = True  # publishes of calls, casts, fanouts
    replies: bool = True  # publishes of replies, so how calls end
    deliveries: bool = True  # who takes requests from their queues
    copies: bool = True  # deliveries of replies and of fanout copies
    bus: bool = True  # there is a tap on the bus; without one, what processes tell stands in for what it would see


_SIGHTS = {
    "full": Sight(),
    "control": Sight(copies=False),
    "publish": Sight(copies=False, deliveries=False),
    REQUESTS_ONLY: Sight(copies=False, deliveries=False, replies=False),
    INSIDE: Sight(bus=False),
    OFF: Sight(copies=False, deliveries=False, replies=False, requests=False),
}


def sight(mode: str) -> Sight:
    """What is seen in this mode; a capture that does not name its mode is taken for whole."""
    return _SIGHTS.get(mode, _SIGHTS["full"])


def visible(counters: Counters, mode: str) -> dict[str, int | None]:
    """Messages and copies of a recording that began in this mode; None for what it can not see.

    A tap that looked closer for a time has seen some copies: those are told.
    """
    seen = sight(mode)
    copies = counters.copies if seen.deliveries else counters.copies or None
    return {"messages": counters.messages, "copies": copies} if seen.replies else {"messages": None, "copies": None}


def sees_replies(mode: str) -> bool:
    """Whether a tap in this mode tells how calls end; where it does not, that is unknown."""
    return sight(mode).replies
