"""What is slow beside others.

Slow is what took three times the median, and more than the upper quartile by three times the distance of the
quartiles, and 20 ms above the median: one slow operation among few does not hide itself so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rpcscope.model import Call, MessageKind
from rpcscope.query.alignment import Path
from rpcscope.query.stages import WAIT, stages
from rpcscope.query.times import MS, between, percentile
from rpcscope.query.usual_tree import Traced

FEWEST = 5
"""Of fewer nothing is called usual."""
_CLEARLY_NS = 20 * MS


@dataclass(frozen=True, slots=True)
class Limit:
    """What is usual of some durations."""

    median_ns: int
    most_ns: int  # more is slow

    @classmethod
    def of(cls, values: Iterable[int]) -> Limit | None:
        """None of too few."""
        ordered = sorted(values)
        if len(ordered) < FEWEST:
            return None
        low, middle, high = (percentile(ordered, share) or 0.0 for share in (0.25, 0.5, 0.75))
        return cls(round(middle), round(max(3 * middle, high + 3 * (high - low), middle + _CLEARLY_NS)))

    def over(self, took_ns: int) -> int:
        """How much longer than the median when it is slow; else 0."""
        return took_ns - self.median_ns if took_ns > self.most_ns else 0


def limits(several: Iterable[Traced]) -> Mapping[Path, Limit]:
    """Of each step that enough operations have."""
    times: defaultdict[Path, list[int]] = defaultdict(list)
    for one in several:
        for path, call in one.steps.items():
            if (took := took_of(call)) is not None:
                times[path].append(took)
    found = {path: Limit.of(values) for path, values in times.items()}
    return {path: limit for path, limit in found.items() if limit}


def took_of(call: Call) -> int | None:
    """Publish to reply of a call; the wait in the queue of what has no reply."""
    if call.kind is MessageKind.REQUEST:
        return between(call.published_ns, call.replied_ns)
    return next((stage.took_ns for stage in stages(call) if stage.name == WAIT), None)
