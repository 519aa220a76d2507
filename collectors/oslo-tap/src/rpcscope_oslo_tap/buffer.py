"""What waits to be sent. Bounded: when it is full, what is new is lost and counted."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from rpcscope_oslo_tap.count import Count

LIMIT = 20_000


class Buffer:
    """Any thread puts, one takes. Neither waits: a deque's ends and a count's `next` are atomic."""

    def __init__(self, limit: int = LIMIT) -> None:
        """Empty."""
        self._held: deque[Any] = deque()
        self._limit = limit
        self._lost = Count()
        self._lost_from_ns = self._lost_to_ns = 0

    def __len__(self) -> int:
        return len(self._held)

    def put(self, what: Any) -> None:
        """Keep it, or count it as lost."""
        if len(self._held) < self._limit:
            self._held.append(what)
        else:
            self.lose()

    def lose(self) -> None:
        """One more is lost."""
        self._lost_to_ns = time.time_ns()
        self._lost_from_ns = self._lost_from_ns or self._lost_to_ns
        self._lost.add()

    def take(self) -> Any:
        """The oldest; None when there is none."""
        return self._held.popleft() if self._held else None

    def put_back(self, what: Any) -> None:
        """What was taken and could not be sent yet is the oldest again."""
        self._held.appendleft(what)

    def lost(self) -> int:
        """How many so far. For the one that takes."""
        return self._lost.value()

    def lost_between(self) -> tuple[int, int]:
        """When the first and the last of them was lost, since this was asked before. For the one that takes."""
        between = self._lost_from_ns, self._lost_to_ns
        self._lost_from_ns = 0
        return between
