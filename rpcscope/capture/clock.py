"""One time line of two clocks: the monotonic one, anchored once at the wall clock.

A wall clock steps (NTP, a person), a monotonic clock starts again with its machine, and a hostile
file may hold anything. The monotonic reading is trusted unless it alone jumps by more than an hour.
"""

from __future__ import annotations

from dataclasses import dataclass

STEP_NS = 100_000_000  # readings of one moment differ by less
JUMP_NS = 3600 * 1_000_000_000
_FIRST_NS = 946_684_800 * 1_000_000_000  # the year 2000
_LAST_NS = 4_102_444_800 * 1_000_000_000  # the year 2100


@dataclass(frozen=True, slots=True)
class Reading:
    """What both clocks showed when a line was recorded, in ns; None: missing or absurd."""

    wall_ns: int | None
    mono_ns: int | None


def reading(wall: object, mono: object) -> Reading:
    """Two values of a line, whatever their types, as a Reading."""
    return Reading(
        wall if type(wall) is int and _FIRST_NS < wall < _LAST_NS else None,
        mono if type(mono) is int and 0 < mono < _LAST_NS else None,
    )


def moment(value: object) -> int | None:
    """A time in ns from a field of any type; None when it is none, or so late that sums would overflow."""
    return value if type(value) is int and 0 <= value < _LAST_NS else None


class TimeLine:
    """Gives each reading its time, ns since the epoch. Readings come in any order near their own."""

    def __init__(self, anchor: Reading) -> None:
        """Of a reading whose wall clock is believed."""
        self._of_mono = (anchor.wall_ns or 0) - (anchor.mono_ns or 0)  # to be added to a monotonic reading
        self._of_wall = 0  # to be added to a wall clock reading
        self._last = anchor.wall_ns if anchor.wall_ns is not None else anchor.mono_ns or 0

    def at(self, seen: Reading) -> int:
        """The time of a reading; that of the one before it when both clocks are missing."""
        self._last = min(max(self._place(seen), 0), _LAST_NS)
        return self._last

    def _place(self, seen: Reading) -> int:
        if seen.mono_ns is None:
            return self._last if seen.wall_ns is None else seen.wall_ns + self._of_wall
        by_mono = seen.mono_ns + self._of_mono
        if seen.wall_ns is None:
            return by_mono if self._near(by_mono) else self._last
        by_wall = seen.wall_ns + self._of_wall
        if abs(by_mono - by_wall) > STEP_NS and not self._near(by_mono):
            self._of_mono = by_wall - seen.mono_ns
            return by_wall
        self._of_wall = by_mono - seen.wall_ns
        return by_mono

    def _near(self, time: int) -> bool:
        return abs(time - self._last) < JUMP_NS


class StepCounter:
    """Counts the jumps of the wall clock along a time line."""

    def __init__(self) -> None:
        """Before the first reading."""
        self.steps = 0
        self._shift: int | None = None

    def see(self, at_ns: int, seen: Reading) -> None:
        """The next reading in the order of time."""
        if seen.wall_ns is None:
            return
        shift = at_ns - seen.wall_ns
        if self._shift is not None and abs(shift - self._shift) > STEP_NS:
            self.steps += 1
        self._shift = shift
