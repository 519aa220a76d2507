"""How long emptying a host takes at least and at most, whatever the order.

Lower bound: k slots share the work, and the network card carries the data. Upper bound: Graham, "Bounds on
multiprocessing timing anomalies", SIAM J. Appl. Math. 17(2), 1969: a slot never idles while something waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heapify, heapreplace
from math import inf


def at_least_s(durations_s: Sequence[float], *, slots: int, data: float = 0.0, capacity: float = inf) -> float:
    """No order is faster. `data` bytes over a link of `capacity` bytes a second."""
    _check(durations_s, slots)
    return max(sum(durations_s) / slots, max(durations_s, default=0.0), data / capacity)


def at_most_s(durations_s: Sequence[float], *, slots: int) -> float:
    """No order is slower, as long as a free slot takes what waits and durations do not depend on each other."""
    _check(durations_s, slots)
    longest = max(durations_s, default=0.0)
    return (sum(durations_s) - longest) / slots + longest


def in_order_s(durations_s: Iterable[float], *, slots: int) -> float:
    """When all are done that are begun in this order, each as soon as a slot is free."""
    durations_s = list(durations_s)
    _check(durations_s, slots)
    free_s = [0.0] * min(slots, max(1, len(durations_s)))
    heapify(free_s)
    for duration_s in durations_s:
        heapreplace(free_s, free_s[0] + duration_s)
    return max(free_s)


def _check(durations_s: Sequence[float], slots: int) -> None:
    if slots < 1 or any(not 0 <= duration_s < inf for duration_s in durations_s):
        raise ValueError("bounds want at least one slot, and times that end")
