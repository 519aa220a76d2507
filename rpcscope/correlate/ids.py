"""Numbers for calls, operations and processes of one recording."""

from __future__ import annotations

RECORDING_SHIFT = 40


class Ids:
    """Gives `recording << 40 | n`, n rising from `first`."""

    __slots__ = ("_next",)

    def __init__(self, recording_id: int, first: int = 1) -> None:
        self._next = (recording_id << RECORDING_SHIFT) | first

    def take(self) -> int:
        """The next number."""
        number = self._next
        self._next = number + 1
        return number
