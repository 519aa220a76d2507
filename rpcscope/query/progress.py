"""How far live migrations are: rate, what is left, and whether the copy converges.

A hypervisor copies the memory once, then in passes what was written meanwhile. nova saves every five seconds what is
left of the present pass. So what is left falls within a pass and jumps up when the next begins: a copy converges as
long as each pass begins with less than every one before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from rpcscope.model import ProgressSample
from rpcscope.query.times import SECOND, iso
from rpcscope.store.protocol import Reader

PATIENCE = 6
"""Samples without any way gained that make a copy one that does not converge: half a minute as nova saves them."""
_LESS = 0.95  # a pass has to begin with a twentieth less
_RATED = 6  # newest samples that the rate is taken from
_OVER = frozenset({"completed", "done", "failed", "error", "cancelled", "reverted", "confirmed", "finished"})


class Pace(StrEnum):
    """How a copy goes on."""

    UNKNOWN = "unknown"  # nobody tells sizes
    CONVERGING = "converging"
    NOT_CONVERGING = "not converging"  # memory is written as fast as it is copied
    STANDING = "standing still"  # nothing is sent any more
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One migration, as the messages said that saved it."""

    samples: tuple[ProgressSample, ...]  # the oldest first, each message once

    @property
    def last(self) -> ProgressSample:
        """What was said last."""
        return self.samples[-1]

    @property
    def sized(self) -> tuple[ProgressSample, ...]:
        """Samples that say what is left of the memory."""
        return tuple(one for one in self.samples if one.progress.memory_remaining is not None)

    @property
    def is_over(self) -> bool:
        """It came to an end, good or bad."""
        return self.last.progress.status in _OVER

    @property
    def rate(self) -> float | None:
        """Bytes of memory sent per second lately; None: unknown."""
        known = [one for one in self.sized if one.progress.memory_processed is not None][-_RATED:]
        if len(known) < 2 or known[-1].at_ns <= known[0].at_ns:
            return None
        sent = (known[-1].progress.memory_processed or 0) - (known[0].progress.memory_processed or 0)
        return max(0.0, sent * SECOND / (known[-1].at_ns - known[0].at_ns))

    @property
    def remaining(self) -> int | None:
        """Bytes of memory left of the present pass; None: unknown."""
        return self.sized[-1].progress.memory_remaining if self.sized else None

    @property
    def left_ns(self) -> int | None:
        """How long the present pass takes at this rate, so at least how long it still goes on.

        None: unknown, over, or it does not come to an end by itself.
        """
        if self.pace is not Pace.CONVERGING or not self.rate or self.remaining is None:
            return None
        return int(self.remaining * SECOND / self.rate)

    @property
    def passes(self) -> int:
        """How often the memory was gone over; 0: unknown."""
        lefts = _lefts(self.sized)
        return sum(later > earlier for earlier, later in pairwise(lefts)) + bool(lefts)

    @property
    def still(self) -> int:
        """Newest samples that brought it no nearer to its end."""
        return len(self.sized) - 1 - _gained(_lefts(self.sized))

    @property
    def still_ns(self) -> int:
        """For how long it has come no nearer to its end."""
        return self.sized[-1].at_ns - self.sized[-1 - self.still].at_ns if self.sized else 0

    @property
    def pace(self) -> Pace:
        """How it goes on, as of the last that was said."""
        if self.is_over:
            return Pace.OVER
        if not self.sized or not self.sized[-1].progress.memory_total:
            return Pace.UNKNOWN
        if self.still < PATIENCE:
            return Pace.CONVERGING
        return Pace.STANDING if self.rate == 0 else Pace.NOT_CONVERGING

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract; sizes in bytes."""
        said = self.last.progress
        return {
            "migration": said.migration or None,
            "instance": self.last.instance or None,
            "status": said.status or None,
            "pace": self.pace.value,
            "rate": None if self.rate is None else round(self.rate),
            "remaining": self.remaining,
            "at_least_left_s": None if self.left_ns is None else round(self.left_ns / SECOND, 1),
            "passes": self.passes or None,
            "samples": [_row(one) for one in self.samples],
        }


def migrations_of(reader: Reader, operation_ids: Collection[int]) -> tuple[Migration, ...]:
    """Migrations of one operation, by their first word."""
    return grouped(reader.progress(operation_ids))


def migrations_between(reader: Reader, from_ns: int, to_ns: int) -> tuple[Migration, ...]:
    """All of a time."""
    return grouped(reader.progress_between(from_ns, to_ns))


def grouped(samples: Iterable[ProgressSample]) -> tuple[Migration, ...]:
    """Samples as migrations. Several recordings may have seen one message."""
    found: dict[str, dict[str, ProgressSample]] = {}
    for one in sorted(samples, key=lambda one: one.at_ns):
        found.setdefault(one.progress.migration or one.instance, {}).setdefault(one.unique_id, one)
    return tuple(Migration(samples=tuple(several.values())) for several in found.values())


def _lefts(samples: Iterable[ProgressSample]) -> list[int]:
    return [one.progress.memory_remaining or 0 for one in samples]


def _gained(lefts: Sequence[int]) -> int:
    """Place of the last sample that brought it nearer to its end: less is left than ever in a pass that began with
    less than every pass before it."""
    place, lowest_start, counts, low = 0, float("inf"), True, float("inf")
    for number, left in enumerate(lefts):
        if number == 0 or left > lefts[number - 1]:  # a pass begins
            counts, low = left < lowest_start * _LESS, float("inf")
            lowest_start = left if counts else lowest_start
        if counts and left < low:
            place, low = number, left
    return place


def _row(one: ProgressSample) -> dict[str, object]:
    said = one.progress
    return {
        "at": iso(one.at_ns),
        "status": said.status or None,
        "memory_total": said.memory_total,
        "memory_processed": said.memory_processed,
        "memory_remaining": said.memory_remaining,
        "disk_total": said.disk_total,
        "disk_processed": said.disk_processed,
        "disk_remaining": said.disk_remaining,
    }
