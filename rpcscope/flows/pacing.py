"""When the next one is due, as values: constant, ramp, sine, recorded, by chance.

Due times are seconds from the start and depend on nothing that happened since: who lags behind catches up, and a
slow broker does not lower the rate that was asked for.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from itertools import accumulate, count
from typing import TypeAlias

import msgspec

from rpcscope.errors import UsageError


class _Pace(msgspec.Struct, frozen=True, tag_field="pace"):
    """When each of many is due."""


class Constant(_Pace, frozen=True, tag="constant"):
    """One every 1 / `per_s` seconds, the first at once."""

    per_s: float

    def due_s(self, n: int) -> float:
        """When the one with number `n`, from 0, is due."""
        return n / self.per_s


class Ramp(_Pace, frozen=True, tag="ramp"):
    """A rate that grows, or falls, steadily over `over_s` and stays then."""

    from_per_s: float
    to_per_s: float
    over_s: float

    def due_s(self, n: int) -> float:
        """When as many as `n` are due by the area under the rate."""
        slope = (self.to_per_s - self.from_per_s) / self.over_s
        during = (self.from_per_s + self.to_per_s) / 2 * self.over_s
        if n >= during:
            return self.over_s + (n - during) / self.to_per_s if self.to_per_s else math.inf
        # The smaller root of slope/2 t^2 + from t = n, in the form that is exact for a slope of nearly nothing.
        return 2 * n / (self.from_per_s + math.sqrt(self.from_per_s**2 + 2 * slope * n)) if n else 0.0


class Sine(_Pace, frozen=True, tag="sine"):
    """A rate that swings around `mean_per_s` by `swing_per_s` once each `period_s`, rising first."""

    mean_per_s: float
    swing_per_s: float
    period_s: float

    def due_s(self, n: int) -> float:
        """When as many as `n` are due by the area under the rate, by halving."""
        periods = math.floor(n / (self.mean_per_s * self.period_s))
        low, high = periods * self.period_s, (periods + 1) * self.period_s
        while high - low > 1e-9 * max(1.0, high):
            middle = (low + high) / 2
            low, high = (middle, high) if self._sent(middle) < n else (low, middle)
        return high if n else 0.0

    def _sent(self, at_s: float) -> float:
        turn = 2 * math.pi / self.period_s
        return self.mean_per_s * at_s + self.swing_per_s / turn * (1 - math.cos(turn * at_s))


class Recorded(_Pace, frozen=True, tag="recorded"):
    """The times of a recording, in s from its start, played `speed` times as fast."""

    at_s: tuple[float, ...]
    speed: float = 1.0

    def due_s(self, n: int) -> float:
        """When the one with number `n` came; never, after the last."""
        return self.at_s[n] / self.speed if n < len(self.at_s) else math.inf


class Poisson(_Pace, frozen=True, tag="poisson"):
    """By chance and independent of each other, `per_s` on average."""

    per_s: float


Pace: TypeAlias = Constant | Ramp | Sine | Recorded | Poisson


def due_times(pace: Pace, rng: random.Random) -> Iterator[float]:
    """When each is due, in s from the start, ascending; ends with a recording, or when nothing is due ever more."""
    if isinstance(pace, Poisson):
        yield from accumulate(rng.expovariate(pace.per_s) for _ in count())
        return
    for n in count():
        due = pace.due_s(n)
        if math.isinf(due):
            return
        yield due


def parse_pace(text: str) -> Pace:
    """A pace as people write it: 5 (a second), poisson:5, ramp:1:20:60 (from, to, s), sine:10:5:3600 (mean, swing, s).

    Raises UsageError for anything else, and for rates that are not above zero.
    """
    name, *numbers = text.split(":") if ":" in text else ("constant", text)
    try:
        values = [float(number) for number in numbers]
        pace = _MADE[name](*values)
    except (KeyError, TypeError, ValueError):
        raise UsageError(
            "A pace is a rate per second such as 5, or poisson:5, ramp:1:20:60 (from, to, seconds) "
            "or sine:10:5:3600 (mean, swing, seconds)."
        ) from None
    if not _sensible(pace, values):
        raise UsageError(
            "The rates and seconds of a pace are above zero, and the swing of a sine no more than its mean."
        )
    return pace


_MADE: dict[str, Callable[..., Pace]] = {"constant": Constant, "poisson": Poisson, "ramp": Ramp, "sine": Sine}


def _sensible(pace: Pace, values: list[float]) -> bool:
    if not all(math.isfinite(value) and 0 <= value <= 1e9 for value in values):
        return False
    if isinstance(pace, Ramp):
        return pace.over_s > 0 and pace.to_per_s > 0
    if isinstance(pace, Sine):
        return pace.period_s > 0 and pace.mean_per_s > 0 and pace.swing_per_s <= pace.mean_per_s
    return values[0] > 0
