"""Durations in buckets, so that the database can count them: percentiles of any number of calls from few rows."""

from __future__ import annotations

from bisect import bisect_right

from sqlalchemy import ColumnElement, case, literal_column

PER_OCTAVE = 8
_LEAST_NS = 1 << 16
_OCTAVES = 24
EDGES = tuple(round(_LEAST_NS * 2 ** (step / PER_OCTAVE)) for step in range(_OCTAVES * PER_OCTAVE + 1))
"""Nanoseconds, from 66 microseconds to 18 minutes; each 9 % above the one before."""


def bucket_of(ns: int) -> int:
    """The number of edges that a duration has reached: 0 below the first."""
    return bisect_right(EDGES, ns)


def bucket_column(ns: ColumnElement[int]) -> ColumnElement[int]:
    """The same in SQL, by eight comparisons, which every database has; a logarithm not every one."""
    return _between(ns, 0, len(EDGES))


def _between(ns: ColumnElement[int], low: int, high: int) -> ColumnElement[int]:
    if low == high:
        return literal_column(str(low))
    middle = (low + high) // 2
    return case(
        (ns < literal_column(str(EDGES[middle])), _between(ns, low, middle)), else_=_between(ns, middle + 1, high)
    )
