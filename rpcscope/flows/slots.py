"""How many may go on at one time: in all, for each host, zone or rack."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

Place = tuple[str, str]
"""A limit's name, and of what: ("host", "compute-0001"). In all is ("all", "")."""


class Slots:
    """Takes a slot of several limits at once or of none, so that nobody holds one while waiting for another.

    Who waited longest comes first, unless one of its limits is reached; then whoever fits goes ahead.
    """

    def __init__(self, limits: Mapping[str, int]) -> None:
        """By name, how many; 0 or a missing name: any number."""
        self._limits = {name: limit for name, limit in limits.items() if limit}
        self._taken: Counter[Place] = Counter()
        self._waiting: dict[asyncio.Future[None], frozenset[Place]] = {}
        self.peaks: Counter[str] = Counter()  # by name, the most that one place had at one time

    @asynccontextmanager
    async def hold(self, **of: str) -> AsyncIterator[None]:
        """Hold a slot of each limit: `hold(all="", host="compute-0001")`."""
        places = frozenset(of.items())
        await self._take(places)
        try:
            yield
        finally:
            self._give_back(places)

    def taken(self, name: str, of: str = "") -> int:
        """How many are held of a place."""
        return self._taken[name, of]

    async def _take(self, places: frozenset[Place]) -> None:
        if self._fits(places):
            self._book(places)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[turn] = places
        try:
            await turn
        except asyncio.CancelledError:
            if self._waiting.pop(turn, None) is None:  # it got its slots and was cancelled before it could run
                self._give_back(places)
            raise

    def _give_back(self, places: frozenset[Place]) -> None:
        self._taken.subtract(places)
        for turn, wanted in list(self._waiting.items()):
            if not turn.cancelled() and self._fits(wanted):
                self._book(wanted)
                del self._waiting[turn]
                turn.set_result(None)

    def _fits(self, places: frozenset[Place]) -> bool:
        for place in places:
            limit = self._limits.get(place[0])
            if limit is not None and self._taken[place] >= limit:
                return False
        return True

    def _book(self, places: frozenset[Place]) -> None:
        self._taken.update(places)
        for place in places:
            self.peaks[place[0]] = max(self.peaks[place[0]], self._taken[place])
