"""One number of the operations of both sides, set against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rpcscope.compare.finding import STRUCTURE, Finding, change_of
from rpcscope.compare.fisher import fisher
from rpcscope.compare.measures import Measure, Scale
from rpcscope.compare.ranks import mann_whitney, probability_larger
from rpcscope.compare.sample import Method, Sample
from rpcscope.compare.summary import Summary
from rpcscope.compare.thresholds import Thresholds
from rpcscope.compare.verdict import Verdict
from rpcscope.query.times import MS

_EXAMPLES = 3
Samples = Sequence[Sample]


@dataclass(frozen=True, slots=True)
class Known:
    """The operations of one side of which a number is known, and the numbers in their order."""

    samples: tuple[Sample, ...]
    values: tuple[float, ...]

    @classmethod
    def of(cls, samples: Samples, measure: Measure) -> Known:
        """Those of some operations."""
        pairs = [(one, value) for one in samples if (value := measure.value(one)) is not None]
        return cls(tuple(one for one, _ in pairs), tuple(value for _, value in pairs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A number that both sides have."""

    kind: str
    method: Method | None
    measure: Measure
    known_a: Known
    known_b: Known
    a: Summary
    b: Summary

    @property
    def is_structural(self) -> bool:
        """A count that is one number in every operation of A and another one in every operation of B."""
        counted = self.measure.scale in (Scale.COUNT, Scale.FAILURES)
        return counted and self.a.is_constant and self.b.is_constant and self.a.mean != self.b.mean

    def is_worth_telling(self, limits: Thresholds) -> bool:
        """The difference is not too small."""
        if self.measure.scale is Scale.COUNT:
            return abs(self.b.mean - self.a.mean) >= limits.count
        if self.measure.scale is Scale.FAILURES:
            return abs(self.b.mean - self.a.mean) >= limits.failing
        away = abs(self.b.p50 - self.a.p50)
        if self.measure.scale is Scale.BYTES:
            return away >= max(limits.larger_bytes, limits.larger * self.a.p50)
        chance = self.probability_larger
        return away >= max(limits.slower_ms * MS, limits.slower * min(self.a.p50, self.b.p50)) and (
            max(chance, 1 - chance) >= limits.probability
        )

    @property
    def probability_larger(self) -> float:
        """That a value of B is larger than one of A."""
        return probability_larger(self.known_a.values, self.known_b.values)

    def test(self) -> Verdict:
        """The test of its scale."""
        a, b = self.known_a.values, self.known_b.values
        if self.measure.scale is Scale.FAILURES:
            return fisher(sum(map(bool, a)), len(a), sum(map(bool, b)), len(b))
        return mann_whitney(a, b)

    def finding(self, verdict: Verdict | None = None, corrected_p: float | None = None) -> Finding:
        """Told as a difference; without a verdict as one of structure."""
        return Finding(
            kind=self.kind, method=self.method, measure=self.measure.name, scale=self.measure.scale,
            change=change_of(self.measure.scale, self.a, self.b), a=self.a, b=self.b,
            test=verdict.test if verdict else STRUCTURE, p=verdict.p if verdict else None, corrected_p=corrected_p,
            probability_larger=self.probability_larger,
            examples_a=_examples(self.known_a, self.b.p50), examples_b=_examples(self.known_b, self.a.p50),
        )  # fmt: skip


def contrast(kind: str, method: Method | None, measure: Measure, a: Samples, b: Samples) -> Contrast | None:
    """None where no operation of one of the sides has the number."""
    known_a, known_b = Known.of(a, measure), Known.of(b, measure)
    if not known_a.values or not known_b.values:
        return None
    return Contrast(
        kind=kind, method=method, measure=measure, known_a=known_a, known_b=known_b,
        a=Summary.of(known_a.values), b=Summary.of(known_b.values),
    )  # fmt: skip


def _examples(known: Known, other: float) -> tuple[str, ...]:
    """The operations that are furthest from the middle of the other side; the newest of equal ones."""
    pairs = sorted(zip(known.values, known.samples, strict=True), key=lambda pair: -abs(pair[0] - other))
    return tuple(one.request_id for value, one in pairs[:_EXAMPLES] if value != other)
