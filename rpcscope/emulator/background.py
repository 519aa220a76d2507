"""The timers of all hosts."""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

from rpcscope.emulator.periodic import FIRST_REPORT_S, FUZZY_S, Fixed, Periodic
from rpcscope.templates.model import Template

REPORT_STATE = "periodic:report_state"
Run = Callable[[str, str], "asyncio.Future[None]"]
"""Plays a kind on a host; done when its last step is over."""


class Background:
    """Begins and ends them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, now_s: Callable[[], float], speed: float, run: Run) -> None:
        """`now_s` is the world's clock, `speed` how many of its seconds are in one of the loop's."""
        self._clock = _Clock(loop, now_s, speed)
        self._run = run
        self._intervals: dict[str, float] = {}
        self._rng = random.Random(0)  # noqa: S311 - no secret
        self._timers: dict[str, list[_Timer]] = {}

    def know(self, templates: Iterable[Template], seed: int) -> None:
        """What hosts run from now on; `templates` have an interval."""
        self._intervals = {template.kind: template.interval_s or FUZZY_S for template in templates}
        self._rng.seed(seed)  # one for all hosts: each has 2.5 KB of state

    def begin(self, host: str, *, fresh: bool) -> None:
        """Start a host's timers: `fresh`, as those of a service just started; else anywhere in their intervals."""
        rng, now_s = self._rng, self._clock.now_s()
        intervals = dict(self._intervals)
        report_s = intervals.pop(REPORT_STATE, None)
        timers: list[_Timer] = []
        if report_s is not None:
            first_s = FIRST_REPORT_S if fresh else rng.random() * report_s
            timers.append(_Reports(self._clock, self._run, host, Fixed(report_s, now_s + first_s)))
        if intervals:
            last_s = {
                kind: now_s + (rng.random() * FUZZY_S if fresh else (rng.random() - 1) * spacing_s)
                for kind, spacing_s in sorted(intervals.items())
            }
            timers.append(_Tasks(self._clock, self._run, host, Periodic(intervals, last_s, rng)))
        self._timers[host] = timers
        for timer in timers:
            timer.arm()

    def end(self, host: str) -> None:
        """Stop a host's timers; what they started goes on."""
        for timer in self._timers.pop(host, ()):
            timer.stop()

    def close(self) -> None:
        """Stop all."""
        for host in list(self._timers):
            self.end(host)


class _Clock:
    """The world's, in the loop's."""

    __slots__ = ("_speed", "loop", "now_s")

    def __init__(self, loop: asyncio.AbstractEventLoop, now_s: Callable[[], float], speed: float) -> None:
        self.loop, self.now_s, self._speed = loop, now_s, speed

    def at(self, due_s: float, then: Callable[[], None]) -> asyncio.TimerHandle:
        return self.loop.call_later(max(0.0, due_s - self.now_s()) / self._speed, then)


class _Timer(ABC):
    """Callbacks, not a task: a task for each timer of thousands of hosts would be most of their memory."""

    __slots__ = ("_clock", "_handle", "_host", "_run", "_stopped")

    def __init__(self, clock: _Clock, run: Run, host: str) -> None:
        self._clock, self._run, self._host = clock, run, host
        self._handle: asyncio.TimerHandle | None = None
        self._stopped = False

    def arm(self) -> None:
        """Wait for the next run."""
        self._handle = self._clock.at(self.due_s(), self._start)

    def stop(self) -> None:
        """No run any more."""
        self._stopped = True
        if self._handle is not None:
            self._handle.cancel()

    @abstractmethod
    def due_s(self) -> float:
        """When the next run is due."""

    @abstractmethod
    def begins(self, now_s: float) -> str:
        """A run begins: of this kind."""

    def ends(self, now_s: float) -> None:  # noqa: B027 - not every timer minds
        """The run is over."""

    def _start(self) -> None:
        self._handle = None
        kind = self.begins(max(self._clock.now_s(), self.due_s()))
        self._run(kind, self._host).add_done_callback(self._over)

    def _over(self, future: asyncio.Future[None]) -> None:
        if not self._stopped and not future.cancelled():
            self.ends(self._clock.now_s())
            self.arm()


class _Reports(_Timer):
    """report_state: blocking, at a fixed interval."""

    __slots__ = ("_since_s", "_timer")

    def __init__(self, clock: _Clock, run: Run, host: str, timer: Fixed) -> None:
        super().__init__(clock, run, host)
        self._timer, self._since_s = timer, 0.0

    def due_s(self) -> float:
        return self._timer.next_s

    def begins(self, now_s: float) -> str:
        self._since_s = now_s
        return REPORT_STATE

    def ends(self, now_s: float) -> None:
        self._timer.ran(self._since_s, now_s)


class _Tasks(_Timer):
    """The periodic tasks of a service, one after the other."""

    __slots__ = ("_timers",)

    def __init__(self, clock: _Clock, run: Run, host: str, timers: Periodic) -> None:
        super().__init__(clock, run, host)
        self._timers = timers

    def due_s(self) -> float:
        return self._timers.next()[0]

    def begins(self, now_s: float) -> str:
        _, kind = self._timers.next()
        self._timers.runs(kind, now_s)
        return kind
