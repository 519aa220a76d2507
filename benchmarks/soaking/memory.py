"""What a process keeps in memory over a long time, and whether it grows."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

SETTLED = 0.25  # of the time: caches fill until then


@dataclass(frozen=True, slots=True)
class Reading:
    """How much memory lay in RAM at one time."""

    at_s: float
    mb: float


class MemoryWatch:
    """Reads the memory of a process now and then while its block runs."""

    def __init__(self, pid: int, every_s: float) -> None:
        """Nothing is read yet."""
        self._status, self._every_s = Path(f"/proc/{pid}/status"), every_s
        self.readings: list[Reading] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.is_set():
            self.readings.append(Reading(time.monotonic(), resident_mb(self._status.read_text())))
            self._end.wait(self._every_s)


def resident_mb(status: str) -> float:
    """VmRSS of a /proc/PID/status, in MB of 2^20 bytes; 0.0 of a process that has just ended."""
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:")), 0.0)


def growth_mb(readings: Sequence[Reading], settled: float = SETTLED) -> float:
    """What memory grew by after the first part of the time, on the straight line nearest to all readings of it."""
    began, ended = readings[0].at_s, readings[-1].at_s
    later = [one for one in readings if one.at_s >= began + settled * (ended - began)]
    return slope(later) * (later[-1].at_s - later[0].at_s)


def slope(readings: Sequence[Reading]) -> float:
    """MB a second, by least squares; 0.0 of readings at one time."""
    mean_s = sum(one.at_s for one in readings) / len(readings)
    mean_mb = sum(one.mb for one in readings) / len(readings)
    spread = sum((one.at_s - mean_s) ** 2 for one in readings)
    return sum((one.at_s - mean_s) * (one.mb - mean_mb) for one in readings) / spread if spread else 0.0
