"""Copying local disks while the guest writes to them: everything, then what was written, until the mirror is close."""

from __future__ import annotations

from math import ceil

CLOSE = 1 << 20
"""Bytes behind at which the mirror counts as ready: QEMU copies in pieces of about that size."""


class DiskCopy:
    """Bytes of disks that the destination does not have yet.

    With S bytes, a bandwidth B and writes w it takes S / (B - w); where w >= B it never ends.
    """

    def __init__(self, size: float) -> None:
        self.behind = self._size = ceil(size)

    @property
    def ready(self) -> bool:
        """From now on each write goes to both disks, beside the memory."""
        return self.behind <= CLOSE

    def sent(self, moved: int, seconds: float, *, write: float) -> None:
        """So many bytes went over in that time, and the guest wrote `write` bytes a second meanwhile."""
        self.behind = ceil(min(self._size, max(0, self.behind - moved) + write * seconds))
