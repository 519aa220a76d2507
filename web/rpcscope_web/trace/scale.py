"""From times to places on a line, in per cent, and the ruler above it."""

from __future__ import annotations

from dataclasses import dataclass

from rpcscope.query.times import MS, SECOND

_STEPS_NS = [
    *(factor * 10**power for power in range(3, 10) for factor in (1, 2, 5)),
    *(seconds * SECOND for seconds in (10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400)),
]
_TICKS = 8


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the ruler."""

    x: float  # per cent
    words: str


@dataclass(frozen=True, slots=True)
class Scale:
    """A time as a line."""

    from_ns: int
    to_ns: int

    def x(self, at_ns: int) -> float:
        """Where a moment is: 0 to 100; what is before or after it is at its end."""
        length = max(1, self.to_ns - self.from_ns)
        return round(min(100.0, max(0.0, (at_ns - self.from_ns) * 100 / length)), 3)

    def span(self, from_ns: int, to_ns: int) -> tuple[float, float]:
        """Where a time begins, and how wide it is."""
        start = self.x(from_ns)
        return start, round(max(0.0, self.x(to_ns) - start), 3)

    def ticks(self, origin_ns: int) -> list[Tick]:
        """At round times since an origin, about eight of them."""
        length = max(1, self.to_ns - self.from_ns)
        step = next((step for step in _STEPS_NS if length / step <= _TICKS), length)
        first = -(-(self.from_ns - origin_ns) // step)
        last = (self.to_ns - origin_ns) // step
        return [Tick(self.x(origin_ns + n * step), _words(n * step, step)) for n in range(first, last + 1)]


def _words(ns: int, step: int) -> str:
    """A time since the origin in the unit of the ruler."""
    if step < MS // 10 and ns < MS:
        return f"{ns / 1_000:g} µs"
    if ns < SECOND and step < SECOND:
        return f"{ns / MS:g} ms"
    if step < 60 * SECOND or ns < 60 * SECOND:
        return f"{ns / SECOND:g} s"
    minutes = ns // (60 * SECOND)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:g} h"
