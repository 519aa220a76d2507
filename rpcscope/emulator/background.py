"""The timers of all hosts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from rpcscope.emulator.periodic import FIRST_REPORT_S, FUZZY_S, Fixed, Periodic
from rpcscope.templates.model import Template

REPORT_STATE = "periodic:report_state"
Run = Callable[[str, str], Awaitable[None]]
"""Plays a kind on a host, and returns when its last step is over."""
Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Background:
    """Begins and ends them."""

    def __init__(self, now_s: Callable[[], float], speed: float, templates: Iterable[Template], seed: int) -> None:
        """`now_s` is the world's clock, `speed` that of its seconds; `templates` have an interval."""
        self._now_s, self._speed, self._seed = now_s, speed, seed
        self._intervals = {template.kind: template.interval_s or FUZZY_S for template in templates}
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}

    def begin(self, host: str, run: Run, spawn: Spawn, *, fresh: bool) -> None:
        """Start a host's timers: `fresh`, as those of a service just started; else anywhere in their intervals."""
        rng = random.Random(f"{self._seed} {host}")  # noqa: S311 - no secret
        now_s = self._now_s()
        tasks = self._tasks.setdefault(host, [])
        intervals = dict(self._intervals)
        report_s = intervals.pop(REPORT_STATE, None)
        if report_s is not None:
            first_s = FIRST_REPORT_S if fresh else rng.random() * report_s
            tasks.append(spawn(self._fixed(Fixed(report_s, now_s + first_s), host, run)))
        if intervals:
            last_s = {
                kind: now_s + (rng.random() * FUZZY_S if fresh else (rng.random() - 1) * spacing_s)
                for kind, spacing_s in sorted(intervals.items())
            }
            tasks.append(spawn(self._periodic(Periodic(intervals, last_s, rng), host, run)))

    def end(self, host: str) -> None:
        """Stop a host's timers; what they started goes on."""
        for task in self._tasks.pop(host, ()):
            task.cancel()

    def close(self) -> None:
        """Stop all."""
        for host in list(self._tasks):
            self.end(host)

    async def _fixed(self, timer: Fixed, host: str, run: Run) -> None:
        while True:
            await self._until(timer.next_s)
            started_s = self._now_s()
            await run(REPORT_STATE, host)
            timer.ran(started_s, self._now_s())

    async def _periodic(self, timers: Periodic, host: str, run: Run) -> None:
        while True:
            due_s, kind = timers.next()
            await self._until(due_s)
            timers.runs(kind, max(due_s, self._now_s()))
            await run(kind, host)

    async def _until(self, due_s: float) -> None:
        await asyncio.sleep(max(0.0, due_s - self._now_s()) / self._speed)
