"""A metric and its samples, before anybody writes them down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]
Values = tuple[str, ...]
"""Values of a metric's labels, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What is measured. The name is Prometheus's, with its unit; counters end with `_total`."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    unit: str = "1"  # as UCUM writes it: s, By, {rpc}
    has_hosts: bool = False  # has the label `host` too, where hosts were asked for


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many observations reached which size. `counts` has one more than `bounds`: what is above the last."""

    bounds: tuple[float, ...]  # upper bounds, included
    counts: tuple[int, ...]
    total: float  # of all observations, in the metric's unit

    @property
    def count(self) -> int:
        """Observations."""
        return sum(self.counts)


Value = float | Distribution
Sample = tuple[Values, Value]


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with what is known of it. What is not known has no sample."""

    metric: Metric
    labels: tuple[str, ...]
    samples: tuple[Sample, ...]


def family(metric: Metric, samples: Iterable[tuple[Values, Value | None]], *, hosts: bool = False) -> Family:
    """Samples in the order of their labels, without those that are not known."""
    known = [(values, value) for values, value in samples if value is not None]
    labels = (*metric.labels, "host") if hosts and metric.has_hosts else metric.labels
    return Family(metric, labels, tuple(sorted(known, key=lambda sample: sample[0])))


def added(one: Value, other: Value) -> Value:
    """Two numbers, or two distributions of the same bounds, added up."""
    if isinstance(one, Distribution) and isinstance(other, Distribution):
        counts = tuple(a + b for a, b in zip(one.counts, other.counts, strict=True))
        return Distribution(one.bounds, counts, one.total + other.total)
    if isinstance(one, Distribution) or isinstance(other, Distribution):
        raise TypeError("a number and a distribution have no sum")
    return one + other
