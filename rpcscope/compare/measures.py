"""What is compared of an operation, and of one method within it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from rpcscope.compare.sample import Method, Sample, Used

Value = Callable[[Sample], float | None]
"""Of one operation; None where it is not known or there is none."""


class Scale(StrEnum):
    """What a number is, so how it is said and from when on it differs."""

    COUNT = "count"
    TIME = "time"  # ns
    BYTES = "bytes"
    FAILURES = "failures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One number of each operation."""

    name: str
    scale: Scale
    value: Value


KIND_MEASURES = (
    Measure(name="rpcs", scale=Scale.COUNT, value=lambda one: one.rpcs),
    Measure(name="messages", scale=Scale.COUNT, value=lambda one: one.messages),
    Measure(name="duration", scale=Scale.TIME, value=lambda one: one.duration_ns),
    Measure(name="bytes", scale=Scale.BYTES, value=lambda one: one.bytes),
)
"""Of an operation as a whole."""

FAILED = Measure(name="failed", scale=Scale.FAILURES, value=lambda one: one.failed)
"""Whether it failed as a whole."""


def method_measures(method: Method) -> tuple[Measure, ...]:
    """Of one method: how often an operation used it, how long a call took, how large one was, how many failed."""

    def of(known: Callable[[Used], float | None], otherwise: float | None = None) -> Value:
        def value(one: Sample) -> float | None:
            used = one.methods.get(method)
            return otherwise if used is None else known(used)

        return value

    return (
        Measure(name="count", scale=Scale.COUNT, value=of(lambda used: used.count, 0)),
        Measure(name="duration", scale=Scale.TIME, value=of(lambda used: used.took_ns)),
        Measure(name="bytes", scale=Scale.BYTES, value=of(lambda used: used.bytes)),
        Measure(name="failures", scale=Scale.FAILURES, value=of(lambda used: used.failed, 0)),
    )
