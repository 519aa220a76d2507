"""What is too small to be told, and how sure a finding is."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Differences below these are none, however sure."""

    false_alarms: float = 0.05  # share of comparisons of equal populations that may have a tested finding
    operations: int = 5  # on each side, before a difference without exception is told as a finding
    count: float = 0.1  # messages more or fewer in an operation, on average
    slower: float = 0.25  # of the shorter median
    slower_ms: float = 5.0  # and so much at least
    probability: float = 0.7  # that a duration of the slower side is longer than one of the other
    larger: float = 0.1  # of the median size of A
    larger_bytes: float = 64.0
    failing: float = 0.05  # of all operations

    def as_dict(self) -> dict[str, float]:
        """The fields of the JSON contract."""
        return asdict(self)
