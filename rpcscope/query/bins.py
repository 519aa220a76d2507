"""How values are spread: counted in bins."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

MOST = 20
_WIDE = 20
"""Values that differ by more than this factor get bins that grow."""


@dataclass(frozen=True, slots=True)
class Bin:
    """How many values are in one part of the scale."""

    low: float
    high: float  # not in it, but of the last bin; of single whole numbers the same as `low`
    count: int


def histogram(values: Sequence[float], *, most: int = MOST) -> list[Bin]:
    """Bins side by side; none of no values. Few different whole numbers have a bin each."""
    if not values:
        return []
    low, high = min(values), max(values)
    if all(value == int(value) for value in values) and high - low < most:
        return [Bin(n, n, sum(1 for value in values if value == n)) for n in range(int(low), int(high) + 1)]
    edges = _edges(low, high, most)
    counts = [0] * (len(edges) - 1)
    for value in values:
        counts[min(bisect_right(edges, value), len(counts)) - 1] += 1
    return [Bin(start, end, count) for (start, end), count in zip(pairwise(edges), counts, strict=True)]


def _edges(low: float, high: float, most: int) -> list[float]:
    if low == high:
        return [low, high]
    if low > 0 and high / low > _WIDE:
        return [low, *(low * (high / low) ** (n / most) for n in range(1, most)), high]
    return [low, *(low + (high - low) * n / most for n in range(1, most)), high]
