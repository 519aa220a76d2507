"""How many of the calls that closed lately went wrong."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from rpcscope.flight.plan import MINUTE, SECOND

_STEP_NS = 5 * SECOND


@dataclass(slots=True)
class _Slot:
    at_ns: int
    calls: int = 0
    failed: int = 0
    timed_out: int = 0


class Shares:
    """Counts of the last minute, five seconds in each slot."""

    def __init__(self) -> None:
        """Nothing closed yet."""
        self._slots: deque[_Slot] = deque()

    def add(self, now_ns: int, *, failed: bool = False, timed_out: bool = False) -> None:
        """One call is over."""
        slot = self._slot(now_ns)
        slot.calls += 1
        slot.failed += failed
        slot.timed_out += timed_out

    def of_last_minute(self, now_ns: int) -> tuple[int, int, int]:
        """Calls, those that failed, those whose caller's time was over."""
        while self._slots and self._slots[0].at_ns <= now_ns - MINUTE:
            self._slots.popleft()
        return (
            sum(slot.calls for slot in self._slots),
            sum(slot.failed for slot in self._slots),
            sum(slot.timed_out for slot in self._slots),
        )

    def _slot(self, now_ns: int) -> _Slot:
        start_ns = now_ns - now_ns % _STEP_NS
        if not self._slots or self._slots[-1].at_ns < start_ns:
            self._slots.append(_Slot(start_ns))
            self.of_last_minute(now_ns)
        return self._slots[-1]
