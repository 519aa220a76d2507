"""The values of one side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from rpcscope.query.times import percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One number of some operations. At least one operation has it."""

    operations: int
    mean: float
    p50: float
    p95: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Summary:
        """Of values in any order."""
        ordered = sorted(values)
        p50, p95 = (cast(float, percentile(ordered, share)) for share in (0.5, 0.95))
        return cls(
            operations=len(ordered), mean=sum(ordered) / len(ordered), p50=p50, p95=p95, least=ordered[0],
            most=ordered[-1],
        )  # fmt: skip

    @property
    def is_constant(self) -> bool:
        """The same in every operation."""
        return self.least == self.most

    def as_dict(self) -> dict[str, float]:
        """The fields of the JSON contract; times are ns."""
        return {
            "operations": self.operations, "mean": round(self.mean, 3), "p50": round(self.p50, 3),
            "p95": round(self.p95, 3), "min": self.least, "max": self.most,
        }  # fmt: skip
