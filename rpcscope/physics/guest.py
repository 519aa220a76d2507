"""What a live migration moves."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

MIB, GIB = 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A server's memory and local disk. Bytes, and bytes a second."""

    memory: float  # to send; zero pages are left out of it
    dirty: float  # memory it writes
    working_set: float = inf  # memory it writes again and again; never more than all of it
    disk: float = 0.0  # local disk to copy; 0: on shared storage
    disk_write: float = 0.0  # to that disk

    def __post_init__(self) -> None:
        """Raises ValueError for what no server has."""
        if not self.memory > 0 or min(self.dirty, self.working_set, self.disk, self.disk_write) < 0:
            raise ValueError(f"no server has {self}")

    @property
    def writable(self) -> float:
        """Bytes that are dirty at most."""
        return min(self.working_set, self.memory)
