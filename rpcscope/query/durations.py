"""Percentiles of durations that were counted in buckets."""

from __future__ import annotations

from collections import defaultdict


class Durations:
    """How many durations each bucket has, and their sum; estimates count with their fractions."""

    def __init__(self) -> None:
        self._counts: defaultdict[int, float] = defaultdict(float)
        self._sums: defaultdict[int, float] = defaultdict(float)

    def add(self, bucket: int, count: float, sum_ns: float) -> None:
        """So many durations of a bucket, added up."""
        self._counts[bucket] += count
        self._sums[bucket] += sum_ns

    @property
    def count(self) -> float:
        """Durations in it."""
        return sum(self._counts.values())

    def percentile_ns(self, share: float) -> int | None:
        """The mean of the bucket in which `share` (0 to 1) of the durations is reached; None of none.

        No duration of a bucket is more than 9 % from another (`rpcscope.store.buckets`).
        """
        rest = share * self.count
        last = None
        for bucket in sorted(bucket for bucket, count in self._counts.items() if count > 0):
            last = bucket
            rest -= self._counts[bucket]
            if rest <= 0:
                break
        return None if last is None else round(self._sums[last] / self._counts[last])
