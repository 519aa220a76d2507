"""The links of the fleet while a flow runs: who sends waits until its bytes are over, whoever shares its way."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import count
from math import ceil, inf

from rpcscope.flows.world import World
from rpcscope.physics.fabric import Fabric
from rpcscope.physics.sharing import Transfer


class Traffic:
    """One `Fabric` in the world's time. A single timer waits for whatever comes next."""

    def __init__(self, world: World, capacities: Mapping[str, float]) -> None:
        """Capacities of the links by name, in bytes a second."""
        self._world, self._fabric = world, Fabric(capacities)
        self._capacities = capacities
        self._started_s = world.now_s()
        self._numbers = count()
        self._over: dict[str, asyncio.Future[None]] = {}
        self._until: dict[str, float] = {}
        self._ended: dict[str, tuple[int, float]] = {}  # bytes, and the fabric's time
        self._timer: asyncio.Task[None] | None = None
        self.peak = 0.0  # the largest part of any link that was used at one time
        self.most = 0  # transfers at one time

    def widest(self, links: tuple[str, ...], cap: float = inf) -> float:
        """Bytes a second that one transfer has when it is alone."""
        return min([cap, *(self._capacities[link] for link in links)])

    async def send(
        self, links: tuple[str, ...], size: float, *, cap: float = inf, until_s: float = inf
    ) -> tuple[int, float]:
        """Send so many bytes, at most until a time; how many went over, and in how many s.

        These are of the links: that a busy program wakes its sender late makes no transfer slower.
        """
        self._advance()
        name, began = f"{next(self._numbers):09}", self._fabric.now_s
        self._fabric.add(Transfer(id=name, size=ceil(size), links=links, cap=cap), began)
        over = self._over[name] = asyncio.get_running_loop().create_future()
        if until_s < inf:
            self._until[name] = until_s
        self._look(links)
        self._wind()
        try:
            await over
        finally:
            self._drop(name)
        moved, ended = self._ended.pop(name)
        return moved, ended - began

    def carried(self) -> Mapping[str, int]:
        """Bytes by link so far."""
        self._advance()
        return self._fabric.settle()

    def close(self) -> None:
        """Nothing is sent any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _now_s(self) -> float:
        return max(self._fabric.now_s, self._world.now_s() - self._started_s)

    def _advance(self) -> None:
        """What ended until now wakes its sender, and what may go on no longer."""
        for finished in self._fabric.advance(self._now_s()):
            self._ended[finished.id] = finished.moved, finished.at_s
            self._wake(finished.id)
        for name in [name for name, until in self._until.items() if until - self._started_s <= self._fabric.now_s]:
            self._wake(name)

    def _wake(self, name: str) -> None:
        self._until.pop(name, None)
        if not self._over[name].done():
            self._over[name].set_result(None)

    def _drop(self, name: str) -> None:
        del self._over[name]
        self._until.pop(name, None)
        if name in self._fabric:
            self._advance()
        if name in self._fabric:
            self._ended[name] = self._fabric.remove(name, self._fabric.now_s), self._fabric.now_s
            self._wind()

    def _wind(self) -> None:
        """Set the timer for what comes next."""
        if self._timer is not None:
            self._timer.cancel()
        next_s = min([self._fabric.next_event_s(), *(until - self._started_s for until in self._until.values())])
        self._timer = None
        if next_s < inf:
            self._timer = asyncio.ensure_future(self._ring(max(0.0, next_s - self._now_s())))
            self._timer.add_done_callback(self._rang)

    async def _ring(self, wait_s: float) -> None:
        await self._world.sleep(wait_s)
        self._timer = None
        self._advance()
        self._wind()

    def _rang(self, timer: asyncio.Task[None]) -> None:
        """An error must not leave the senders waiting."""
        if timer.cancelled() or timer.exception() is None:
            return
        for over in self._over.values():
            if not over.done():
                over.set_exception(timer.exception() or RuntimeError())

    def _look(self, links: tuple[str, ...]) -> None:
        self.most = max(self.most, len(self._fabric))
        for link in links:
            if self._capacities[link] < inf:
                self.peak = max(self.peak, self._fabric.used(link) / self._capacities[link])
