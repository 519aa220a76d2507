"""What the modes of a tap can not see, by the name that `model.Recording.tap_mode` has for them."""

from __future__ import annotations

REQUESTS_ONLY = "bindings"
"""A tap on the services' exchanges: no replies, no deliveries, nobody's connection."""


def sees_replies(mode: str) -> bool:
    """Whether a recording in this mode tells how calls ended; where it does not, that is unknown."""
    return mode != REQUESTS_ONLY
