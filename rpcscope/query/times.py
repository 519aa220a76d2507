"""Times and percentiles as people and programs read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

MS = 1_000_000
SECOND = 1_000_000_000


def iso(ns: int | None) -> str | None:
    """Nanoseconds since the epoch as ISO 8601 UTC with microseconds."""
    if ns is None or ns <= 0:
        return None
    seconds, rest = divmod(ns, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


def ms(ns: int | None) -> float | None:
    """Nanoseconds as milliseconds with microsecond precision."""
    return None if ns is None else round(ns / MS, 3)


def between(start: int | None, end: int | None) -> int | None:
    """end - start in ns, never negative; None when one is unknown."""
    return None if start is None or end is None else max(0, end - start)


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The value at `share` (0 to 1) of sorted values, linear between neighbours; None of none."""
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
