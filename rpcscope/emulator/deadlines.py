"""The patience of all callers, watched by one timer.

Nearly all calls have one of two timeouts, so those of one length are over in the order in which they began.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

TICK_S = 0.05
"""How late a timeout may be noticed."""
_MANY = 10_000


class Waiting(Protocol):
    """A call that waits for its reply."""

    @property
    def is_waiting(self) -> bool:
        """It still waits."""

    def due_s(self) -> float:
        """When its patience ends, by the loop's clock; later than before once the server was heard."""

    def on_timeout(self) -> None:
        """Its patience has ended."""


class Deadlines:
    """Watches until `close`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queues: dict[float, deque[tuple[float, Waiting]]] = {}
        self._most: dict[float, int] = {}
        self._is_open = True
        self._timer = loop.call_later(TICK_S, self._tick)

    def watch(self, waiting: Waiting, length_s: float) -> None:
        """From now on, for `length_s` at least."""
        queue = self._queues.get(length_s)
        if queue is None:
            queue = self._queues[length_s] = deque()
        queue.append((self._loop.time() + length_s, waiting))

    def close(self) -> None:
        """Watch no more."""
        self._is_open = False
        self._timer.cancel()
        self._queues.clear()

    def _tick(self) -> None:
        now = self._loop.time()
        self._forget()
        for length_s, queue in tuple(self._queues.items()):
            while queue and (queue[0][0] <= now or not queue[0][1].is_waiting):
                _, waiting = queue.popleft()
                if not waiting.is_waiting:
                    continue
                if (due := waiting.due_s()) <= now:
                    waiting.on_timeout()
                else:
                    queue.append((min(due, now + length_s), waiting))
        if self._is_open:
            self._timer = self._loop.call_later(TICK_S, self._tick)

    def _forget(self) -> None:
        """One that waits long keeps those behind it that have been answered: drop them once they are many."""
        for length_s, queue in self._queues.items():
            if len(queue) > self._most.get(length_s, _MANY):
                kept = self._queues[length_s] = deque(each for each in queue if each[1].is_waiting)
                self._most[length_s] = 2 * len(kept) + _MANY
