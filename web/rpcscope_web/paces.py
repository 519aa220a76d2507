"""Rates in the unit in which they can be read."""

from __future__ import annotations

_UNITS = ((1, "s"), (60, "min"), (3_600, "h"), (86_400, "day"))


def pace(per_second: float | None) -> str:
    """`12/s`, `0.24/s`, `3.1/min`, `2/h`; what is rarer than once in ten days is said so."""
    if per_second is None:
        return "?"
    if not per_second:
        return "0/s"
    for seconds, unit in _UNITS:
        count = per_second * seconds
        if count >= 0.1:
            return f"{count:,.{0 if count >= 10 else 1 if count >= 1 else 2}f}/{unit}"
    return "<0.1/day"
