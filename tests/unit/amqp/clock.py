"""An event loop whose time skips ahead when there is nothing else to do: minutes of heartbeats pass at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.EpollSelector):
    skipped_s = 0.0
    moment_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Sockets of this process answer at once: when they are quiet for a moment, the clock is waited for."""
        found = super().select(timeout and min(timeout, self.moment_s))
        if not found and timeout:
            self.skipped_s += timeout
        return found


class SkippingLoop(asyncio.SelectorEventLoop):
    """Its `time` is that of timers alone."""

    def __init__(self, moment_s: float) -> None:
        self._skipping = _Selector()
        self._skipping.moment_s = moment_s
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.skipped_s


def run_skipping(test: Coroutine[Any, Any, T], moment_s: float = 0.002) -> T:
    """Run a coroutine that waits for timers and sockets of this process alone; faults of the loop fail it.

    `moment_s` is how long sockets must be quiet before the clock skips: 0 when there are none.
    """
    faults: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=lambda: SkippingLoop(moment_s)) as runner:
        runner.get_loop().set_exception_handler(lambda _, fault: faults.append(fault))
        found = runner.run(test)
    assert not faults, faults
    return found
