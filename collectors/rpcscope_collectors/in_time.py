"""What comes in late and mixed is given out in the order of its time.

A process sends its spans when they have ended, mostly every five seconds, each process at its own: so what caused
something comes after it. Each thing waits until all that is older can be here.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Generic, TypeVar

_T = TypeVar("_T")


class InTime(Generic[_T]):
    """Holds things back for a time, or until there are too many of them. One thread at a time."""

    def __init__(self, *, hold_ns: int | None, most: int) -> None:
        """Nothing is held. `hold_ns`: by the clock of `came_ns`; None: only their number counts."""
        self._hold_ns, self._most = hold_ns, most
        self._heap: list[tuple[int, int, _T]] = []
        self._count = 0

    def __len__(self) -> int:
        """How many are held."""
        return len(self._heap)

    def put(self, when_ns: int, came_ns: int, thing: _T) -> None:
        """Something that happened at `when_ns` by its host's clock; nothing happens after it came."""
        self._count += 1
        heapq.heappush(self._heap, (min(when_ns, came_ns), self._count, thing))

    def due(self, now_ns: int) -> Iterator[_T]:
        """What need not wait any longer, oldest first."""
        limit_ns = now_ns - self._hold_ns if self._hold_ns is not None else 0
        while self._heap and (len(self._heap) > self._most or self._heap[0][0] <= limit_ns):
            yield heapq.heappop(self._heap)[2]

    def rest(self) -> Iterator[_T]:
        """All of it, oldest first."""
        while self._heap:
            yield heapq.heappop(self._heap)[2]
