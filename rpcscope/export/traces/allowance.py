"""How many operations a second are exported while they are recorded."""

from __future__ import annotations


class Allowance:
    """So many a second, and no more saved than for one second."""

    def __init__(self, rate: float) -> None:
        self._rate, self._saved, self._at_s = rate, max(1.0, rate), 0.0

    def takes(self, now_s: float) -> bool:
        """Whether one more is allowed now. A rate of 0 allows all."""
        if not self._rate:
            return True
        if self._at_s:
            self._saved = min(max(1.0, self._rate), self._saved + (now_s - self._at_s) * self._rate)
        self._at_s = now_s
        if self._saved < 1:
            return False
        self._saved -= 1
        return True
