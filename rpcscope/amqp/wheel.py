"""One timer for the heartbeats of all connections."""

from __future__ import annotations

import asyncio
import math
from typing import Protocol

TICK_S = 0.5
_SLOTS = 128


class Turned(Protocol):
    """What a wheel turns: told when its time has come."""

    slot: int
    """Where it is in the wheel; -1 when it is in none. The wheel's own."""

    def due(self) -> float:
        """Its time has come; seconds until the next, 0 for never again."""


class Wheel:
    """Many things, each due every so often, checked by one timer of half a second that runs while there are any.

    A process that was held up for long finds each thing due once, not as often as it missed.
    """

    __slots__ = ("_count", "_loop", "_next_s", "_now", "_slots", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: list[set[Turned]] = [set() for _ in range(_SLOTS)]
        self._now = 0
        self._count = 0
        self._next_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def put(self, thing: Turned, after_s: float) -> None:
        """It is due in so many seconds (at most 63, rounded up to half seconds), wherever it was before."""
        self.take(thing)
        ticks = max(1, min(_SLOTS - 2, math.ceil(after_s / TICK_S)))
        thing.slot = (self._now + ticks) % _SLOTS
        self._slots[thing.slot].add(thing)
        self._count += 1
        self._arm()

    def take(self, thing: Turned) -> None:
        """It is due no more."""
        if thing.slot >= 0:
            self._slots[thing.slot].discard(thing)
            self._count -= 1
            thing.slot = -1
        if not self._count and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if self._timer is None and self._count:
            self._next_s = self._loop.time() + TICK_S
            self._timer = self._loop.call_at(self._next_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        ticks = 1 + int(max(0.0, self._loop.time() - self._next_s) / TICK_S)
        found: list[Turned] = []
        for _ in range(min(ticks, _SLOTS)):
            self._now = (self._now + 1) % _SLOTS
            found += self._slots[self._now]
        for thing in found:
            self.take(thing)
        for thing in found:
            if thing.slot < 0:  # else another one's end has put it elsewhere
                after_s = thing.due()
                if after_s:
                    self.put(thing, after_s)
        self._arm()
