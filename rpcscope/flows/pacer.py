"""Sends at a pace, and measures how late it was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from itertools import islice

import msgspec

from rpcscope.flows.shares import at_share
from rpcscope.flows.world import World


class Paced(msgspec.Struct, frozen=True, kw_only=True):
    """How well a pace was kept. Times in s of the world."""

    asked: int
    sent: int
    asked_per_s: float | None  # None: all at once, or a single one
    reached_per_s: float | None
    late_p50_s: float | None
    late_p95_s: float | None
    late_max_s: float | None

    @property
    def shortfall(self) -> float | None:
        """Part of the asked rate that was not reached, 0 to 1. None: unknown."""
        if self.asked_per_s is None or self.reached_per_s is None:
            return None
        return max(0.0, 1 - self.reached_per_s / self.asked_per_s)


class Pacer:
    """Waits until each is due, from the elapsed time alone; what is late is sent at once."""

    def __init__(self, world: World, due_times: Iterable[float], count: int) -> None:
        """`due_times` are in s from the start, ascending; at most `count` of them are asked for."""
        self._world = world
        self._due = due_times
        self._count = count
        self._late: list[float] = []
        self._dues: list[float] = []
        self._first_s = self._last_s = 0.0

    async def __aiter__(self) -> AsyncIterator[int]:
        """The number of each, from 0, when it is to be sent."""
        start = self._world.now_s()
        for n, due in enumerate(islice(self._due, self._count)):
            self._dues.append(due)
            if (wait := due - (self._world.now_s() - start)) > 0:
                await self._world.sleep(wait)
            self._note(self._world.now_s() - start)
            yield n

    def paced(self) -> Paced:
        """How it went so far."""
        late = sorted(self._late)
        return Paced(
            asked=len(self._dues),
            sent=len(late),
            asked_per_s=_rate(len(self._dues), self._dues[-1] - self._dues[0]) if self._dues else None,
            reached_per_s=_rate(len(late), self._last_s - self._first_s),
            late_p50_s=at_share(late, 0.5),
            late_p95_s=at_share(late, 0.95),
            late_max_s=at_share(late, 1.0),
        )

    def _note(self, at_s: float) -> None:
        if not self._late:
            self._first_s = at_s
        self._last_s = at_s
        self._late.append(max(0.0, at_s - self._dues[-1]))


def _rate(count: int, took_s: float) -> float | None:
    """Intervals a second."""
    return (count - 1) / took_s if count > 1 and took_s > 0 else None
