"""Percentiles of some calls, and which part of them comes from where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rpcscope.query.times import ms, percentile


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of some calls, exact for those that were looked at; None of none."""

    count: int
    p50: float | None
    p95: float | None
    p99: float | None
    most: float | None

    @classmethod
    def of(cls, values: Iterable[int | None]) -> Percentiles:
        """Of values in any order; what is unknown is left out."""
        ordered = sorted(value for value in values if value is not None)
        p50, p95, p99 = (percentile(ordered, share) for share in (0.5, 0.95, 0.99))
        return cls(len(ordered), p50, p95, p99, ordered[-1] if ordered else None)

    def as_dict(self, made: Callable[[float], float | None]) -> dict[str, object]:
        """The fields of the JSON contract, each number as `made` makes it."""
        numbers = {"p50": self.p50, "p95": self.p95, "p99": self.p99, "max": self.most}
        return {"count": self.count, **{name: None if n is None else made(n) for name, n in numbers.items()}}


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the calls: of one caller, of one kind of operation."""

    name: str
    detail: str
    calls: float
    share: float  # 0 to 1

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "name": self.name, "detail": self.detail or None, "calls": round(self.calls), "share": round(self.share, 4)
        }  # fmt: skip


def in_ms(ns: float) -> float | None:
    """Nanoseconds as milliseconds."""
    return ms(round(ns))


def shares(counted: Iterable[tuple[tuple[str, str], float]]) -> tuple[Share, ...]:
    """Weights by name and detail, the largest first."""
    found: defaultdict[tuple[str, str], float] = defaultdict(float)
    for key, weight in counted:
        found[key] += weight
    whole = sum(found.values()) or 1
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Share(name, detail, weight, weight / whole) for (name, detail), weight in ordered)
