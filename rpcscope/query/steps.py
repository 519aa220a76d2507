"""Numbers over time that hold until they change: steps. None is unknown, also before the first step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

Number = int | None
Steps = tuple[tuple[int, Number], ...]
"""Times in ns, rising, each with what holds from then on."""


def value_at(steps: Steps, at_ns: int) -> Number:
    """What holds at a time."""
    return next((value for when, value in reversed(steps) if when <= at_ns), None)


def peak(steps: Steps) -> Number:
    """The highest that is known."""
    return max((value for _, value in steps if value is not None), default=None)


def highest(several: Iterable[Steps]) -> Steps:
    """The highest of what is known at each time: several look at the same."""
    return _folded(several, lambda values: max((v for v in values if v is not None), default=None))


def added(several: Iterable[Steps]) -> Steps:
    """The sum; unknown while one of them is."""

    def whole(values: Sequence[Number]) -> Number:
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == len(values) and known else None

    return _folded(several, whole)


def buckets(steps: Steps, from_ns: int, to_ns: int, count: int) -> list[Number]:
    """The time in equal parts, of each the highest that is known in it."""
    edges = [from_ns + (to_ns - from_ns) * n // count for n in range(count + 1)]
    found: list[Number] = []
    for start, end in pairwise(edges):
        values = [value for when, value in steps if start < when < end and value is not None]
        before = value_at(steps, start)
        found.append(max(values if before is None else [before, *values], default=None))
    return found


def thinned(steps: Steps, from_ns: int, to_ns: int, count: int) -> Steps:
    """The time in equal parts, of each no more than its highest and what it ends with."""
    width = max(1, -(-(to_ns - from_ns) // count))
    parts: dict[int, list[tuple[int, Number]]] = {}
    for when, value in steps:
        parts.setdefault((when - from_ns) // width, []).append((when, value))
    found: list[tuple[int, Number]] = []
    for _, mine in sorted(parts.items()):
        top = max(mine, key=lambda step: -1 if step[1] is None else step[1])
        found += [top] if top[0] == mine[-1][0] else [top, mine[-1]]
    return tuple(found)


def _folded(several: Iterable[Steps], fold: Callable[[Sequence[Number]], Number]) -> Steps:
    parts = list(several)
    if len(parts) == 1:
        return parts[0]
    now: list[Number] = [None] * len(parts)
    changes = sorted((when, place, value) for place, steps in enumerate(parts) for when, value in steps)
    found: dict[int, Number] = {}
    for when, place, value in changes:
        now[place] = value
        found[when] = fold(now)
    return tuple(found.items())
