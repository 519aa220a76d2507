"""Names that somebody else chose, in our sentences."""

from __future__ import annotations

_LONGEST = 80


def shown(name: str) -> str:
    """The name without what a terminal would act on, and not too long for a sentence."""
    return "".join(filter(str.isprintable, name))[:_LONGEST]
