"""When each operation of a recording is played: at its own times, more often, or drawn anew.

recorded  |a--b-----c|                 rate 1: as it was
          |a--b-----c|                 rate 2: and once more, begun at a point drawn by chance and wrapped around
          |---c|a--b--|
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor
from random import Random


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """One operation to be played."""

    at_s: float  # from the start, in the recording's time
    operation: int  # its position among those recorded
    copy: int  # which repetition of the recording it is of, from 0; of those drawn anew each is its own


def repeated(at_s: Sequence[float], lasts_s: float, rate: float, rng: Random) -> list[Due]:
    """The recording once at its true times, and beside it as many more as the rate says.

    Each of the others is turned by a time of its own, so that what came together stays together within a copy and
    copies do not keep step. Of a part of a copy, each operation is played by chance.

    Args:
        at_s: when each operation began, from the start of the recording.
        lasts_s: length of the recording, at least the last of `at_s`.
        rate: operations for each one recorded, above 0.
    """
    whole, part = floor(rate), rate - floor(rate)
    found = [Due(at, n, copy) for copy in range(whole) for n, at in _turned(at_s, lasts_s, copy, rng)]
    if part:
        found += [Due(at, n, whole) for n, at in _turned(at_s, lasts_s, whole, rng) if rng.random() < part]
    return sorted(found)


def drawn(count: int, lasts_s: float, over_s: float, rate: float, rng: Random) -> list[Due]:
    """Arrivals by chance and independent of each other, as many a second as were recorded, times the rate.

    Args:
        count: operations recorded, each as likely to be drawn, and drawn again.
        lasts_s: length of the recording.
        over_s: how long they go on.
        rate: operations for each one recorded.
    """
    found: list[Due] = []
    if not count:
        return found
    per_s, at = count / lasts_s * rate, 0.0
    while (at := at + rng.expovariate(per_s)) < over_s:
        found.append(Due(at, rng.randrange(count), len(found)))
    return found


def _turned(at_s: Sequence[float], lasts_s: float, copy: int, rng: Random) -> Iterator[tuple[int, float]]:
    by_s = rng.random() * lasts_s if copy else 0.0
    for n, at in enumerate(at_s):
        yield n, (at + by_s) % lasts_s if copy else at
