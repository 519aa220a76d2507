"""Auto-converge: a guest that writes faster than its memory is copied gets less CPU.

Source: qemu migration/ram.c :: migration_trigger_throttle; migration/options.c for the defaults.
"""

from __future__ import annotations

_PERIOD_S = 1.0
_TRIGGER = 0.5
_INITIAL, _MORE, _MOST = 0.20, 0.10, 0.99


class Throttle:
    """The share of CPU that the guest has lost."""

    def __init__(self) -> None:
        self.share = 0.0
        self._seconds = self._sent = self._written = 0.0
        self._often = 0

    def round_over(self, *, sent: float, written: float, seconds: float) -> None:
        """A round was sent (bytes) while the guest wrote. What takes less than a second is judged with the next."""
        self._seconds += seconds
        self._sent += sent
        self._written += written
        if self._seconds < _PERIOD_S:
            return
        if self._written > _TRIGGER * self._sent:
            self._often += 1
        self._seconds = self._sent = self._written = 0.0
        if self._often == 2:
            self._often = 0
            self.share = min(_MOST, round(self.share + _MORE, 2)) if self.share else _INITIAL
