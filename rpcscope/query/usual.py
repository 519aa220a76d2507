"""How long the same steps take in other operations of the kind: what is usual.

A step is known by its method, the method that caused it, and its place among its like below the same call: the third
`Instance.save` of `build_and_run_instance`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rpcscope.model import Call, Operation, Status
from rpcscope.query.several import caused
from rpcscope.query.stages import EXECUTION, WAIT, stages
from rpcscope.query.times import ms, percentile
from rpcscope.query.trace import Trace
from rpcscope.store.protocol import Reader

MOST_OPERATIONS = 40
MOST_CALLS = 4_000
"""Calls that are read for it: as long as a page may take."""
FEWEST = 3
"""Of fewer operations nothing is called usual."""

Step = tuple[str, str, int]
"""Method, method of the parent ("" without one), place from 1."""


@dataclass(frozen=True, slots=True)
class Band:
    """Nanoseconds: 5th percentile, median, 95th percentile."""

    p5: int
    p50: int
    p95: int

    @classmethod
    def of(cls, values: Iterable[int]) -> Band | None:
        """None of too few."""
        ordered = sorted(values)
        if len(ordered) < FEWEST:
            return None
        p5, p50, p95 = (percentile(ordered, share) or 0.0 for share in (0.05, 0.5, 0.95))
        return cls(round(p5), round(p50), round(p95))

    def as_dict(self) -> dict[str, float | None]:
        """In milliseconds."""
        return {"p5_ms": ms(self.p5), "p50_ms": ms(self.p50), "p95_ms": ms(self.p95)}


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualStep:
    """One step in other operations. A part is None where too few of them show it."""

    operations: int  # that have it
    whole: Band | None  # publish to reply
    wait: Band | None
    execution: Band | None

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        parts = (("whole", self.whole), ("wait", self.wait), ("execution", self.execution))
        return {"operations": self.operations, **{name: band.as_dict() if band else None for name, band in parts}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What is usual for the steps of a kind."""

    operations: int  # that were looked at: the newest that were done
    steps: Mapping[Step, UsualStep]


def steps(calls: Sequence[Call]) -> dict[str, Step]:
    """Which step each call of one operation is, by unique id. The calls are in the order of time."""
    methods = {call.unique_id: call.method for call in calls}
    places: Counter[tuple[str, str]] = Counter()
    found: dict[str, Step] = {}
    for call in calls:
        places[call.parent_unique_id, call.method] += 1
        parent = methods.get(call.parent_unique_id, "")
        found[call.unique_id] = (call.method, parent, places[call.parent_unique_id, call.method])
    return found


def usual(reader: Reader, trace: Trace) -> Usual:
    """From the newest operations of its kind that were done, itself left out."""
    whole = trace.operation.whole
    chosen = _chosen(reader.newest_of_kind(whole.kind, MOST_OPERATIONS + 1), whole.request_id) if whole.kind else {}
    names = {part.id: part.request_id for parts in chosen.values() for part in parts}
    by_operation = caused(reader, names)
    times: defaultdict[Step, _Times] = defaultdict(_Times)
    for calls in by_operation.values():
        known = steps(calls)
        for call in calls:
            times[known[call.unique_id]].add(call)
    return Usual(operations=len(by_operation), steps={step: found.usual() for step, found in times.items()})


def _chosen(parts: list[Operation], request_id: str) -> dict[str, list[Operation]]:
    """Parts by request id: as many operations as may be read."""
    groups: defaultdict[str, list[Operation]] = defaultdict(list)
    for part in parts:
        if part.request_id and part.request_id != request_id:
            groups[part.request_id].append(part)
    found: dict[str, list[Operation]] = {}
    left = MOST_CALLS
    for name, group in groups.items():
        left -= sum(part.by_cause.rpcs for part in group)
        if any(part.status is Status.DONE for part in group) and (left >= 0 or not found):
            found[name] = group
    return dict(list(found.items())[:MOST_OPERATIONS])


class _Times:
    """Times of one step."""

    def __init__(self) -> None:
        self._count = 0
        self._parts: defaultdict[str, list[int]] = defaultdict(list)

    def add(self, call: Call) -> None:
        self._count += 1
        for stage in stages(call):
            self._parts[stage.name].append(stage.took_ns)
        if call.published_ns is not None and call.replied_ns is not None:
            self._parts["both"].append(max(0, call.replied_ns - call.published_ns))

    def usual(self) -> UsualStep:
        parts = self._parts
        return UsualStep(
            operations=self._count,
            whole=Band.of(parts["both"]),
            wait=Band.of(parts[WAIT]),
            execution=Band.of(parts[EXECUTION]),
        )
