"""Percentiles of what was measured."""

from __future__ import annotations

from collections.abc import Sequence


def at_share(ascending: Sequence[float], share: float) -> float | None:
    """The value at a share, 0 to 1, of ascending values, linear between neighbours as on the pages; None of none."""
    if not ascending:
        return None
    place = share * (len(ascending) - 1)
    low = int(place)
    high = min(low + 1, len(ascending) - 1)
    return ascending[low] + (ascending[high] - ascending[low]) * (place - low)
