"""What the operations of one kind that are over add up to."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from rpcscope.export.metrics import catalogue
from rpcscope.export.metrics.family import Distribution, Family, family
from rpcscope.model import Operation, Status

OVER = (Status.DONE, Status.FAILED)


class KindCount:
    """Operations of one kind that are over."""

    def __init__(self) -> None:
        """None yet. Prometheus sees no increase in a series that begins, so the usual ends begin with 0."""
        self.statuses: Counter[str] = Counter(done=0, failed=0)
        self._rpcs, self._rpcs_total = [0] * (len(catalogue.RPCS) + 1), 0
        self._took, self._took_ns = [0] * (len(catalogue.OPERATION_SECONDS) + 1), 0

    def add(self, whole: Operation) -> None:
        """One more."""
        self.statuses[whole.status.name.lower()] += 1
        rpcs = whole.by_request.rpcs
        self._rpcs[bisect_left(catalogue.RPCS, rpcs)] += 1
        self._rpcs_total += rpcs
        if whole.status in OVER and whole.finished_ns is not None and whole.finished_ns >= whole.started_ns:
            took_ns = whole.finished_ns - whole.started_ns
            self._took[bisect_left(catalogue.OPERATION_SECONDS, took_ns / 1e9)] += 1
            self._took_ns += took_ns

    @property
    def rpcs(self) -> Distribution:
        """RPCs of each."""
        return Distribution(catalogue.RPCS, tuple(self._rpcs), self._rpcs_total)

    @property
    def took(self) -> Distribution | None:
        """Seconds of each that has a known end; None while there is none."""
        found = Distribution(catalogue.OPERATION_SECONDS, tuple(self._took), self._took_ns / 1e9)
        return found if found.count else None


def kind_families(kinds: Sequence[tuple[str, KindCount]]) -> list[Family]:
    """How many, what they cost, how long they took."""
    ends = (((kind, status), count) for kind, one in kinds for status, count in one.statuses.items())
    return [
        family(catalogue.OPERATIONS, ends),
        family(catalogue.OPERATION_RPCS, (((kind,), one.rpcs) for kind, one in kinds)),
        family(catalogue.OPERATION_DURATION, (((kind,), one.took) for kind, one in kinds)),
    ]
