"""How a recorder's own process fares: events a second and CPU over the last minute, and memory."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

WINDOW_S = 60.0
_STATM = Path("/proc/self/statm")


class Rate:
    """How fast a counter went up in the last minute, from readings of it at any times."""

    def __init__(self, window_s: float = WINDOW_S, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._window_s, self._clock = window_s, clock
        self._readings: deque[tuple[float, float]] = deque()

    def take(self, count: float) -> float:
        """Adds a reading; the counter's growth per second since the oldest reading within the window, 0.0 at first."""
        now = self._clock()
        self._readings.append((now, count))
        # The newest reading that is as old as the window stays, so that the rate is of the whole window.
        while len(self._readings) > 1 and self._readings[1][0] <= now - self._window_s:
            self._readings.popleft()
        began, before = self._readings[0]
        return (count - before) / (now - began) if now > began else 0.0


def cpu_s() -> float:
    """CPU that this process has used, in seconds, its threads and the kernel's work for them included."""
    return time.process_time()


def rss_bytes() -> int | None:
    """Memory of this process that lies in RAM; None on a system that does not tell it in /proc."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None
