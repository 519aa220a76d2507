"""Operations that are not like the others of their kind, and why: failed, missing, extra or slow steps.

A step is usual when nine of ten operations have it, and extra when at most one of ten has it. Slow is what took three
times the median, and more than the upper quartile by three times the distance of the quartiles, and 20 ms above the
median: one slow operation among few does not hide itself so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rpcscope.model import Call, MessageKind, Status
from rpcscope.query.alignment import Path
from rpcscope.query.lifelines import short
from rpcscope.query.operations import OperationView
from rpcscope.query.stages import WAIT, stages
from rpcscope.query.times import MS, between, percentile
from rpcscope.query.usual_tree import Traced, UsualTree, is_failed

FEWEST = 5
"""Of fewer operations none is called odd but those that failed or are stuck."""
USUAL, RARE = 0.9, 0.1
MOST_REASONS, MOST_SLOW = 8, 3
"""That are told of one operation, and of them slow steps."""
_CLEARLY_NS = 20 * MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One way in which an operation is not like the others."""

    sort: str  # stuck | failed | slow | long | missing | extra
    method: str  # of the step; "" for the operation itself
    below: str  # method of the call that has or should have caused the step; "" of a root
    place: int = 1  # of the step among its like
    call: str = ""  # unique id of the call that shows it
    error: str = ""  # class name
    count: int = 1  # such steps, one after the other, of what is missing or extra
    in_queue: bool = False  # the times are of its wait in the queue: nobody answers it
    took_ns: int | None = None
    usual_ns: int | None = None  # the median of all

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        times = {
            f"{name}_ms": None if ns is None else round(ns / MS, 3)
            for name, ns in (("took", self.took_ns), ("usual", self.usual_ns))
        }
        words = {name: getattr(self, name) or None for name in ("method", "below", "call", "error")}
        return {
            "sort": self.sort, "place": self.place, "count": self.count, "in_queue": self.in_queue, **words, **times,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Odd:
    """One operation that is not like the others."""

    operation: OperationView
    reasons: tuple[Reason, ...]

    @property
    def weight(self) -> tuple[int, int, int]:
        """How far from the others: what is stuck or failed, the time lost, steps that differ."""
        hard = sum(reason.sort in ("stuck", "failed") for reason in self.reasons)
        lost = sum((reason.took_ns or 0) - (reason.usual_ns or 0) for reason in self.reasons)
        return min(hard, 1), lost, len(self.reasons)

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {"operation": self.operation.as_dict(), "reasons": [reason.as_dict() for reason in self.reasons]}


def odd_ones(pairs: Sequence[tuple[OperationView, Traced]], tree: UsualTree) -> list[Odd]:
    """Those of some operations that differ, the furthest first. One that still runs is not judged."""
    compare = _Compare(pairs, tree)
    found = [Odd(view, tuple(compare.reasons(view, one))) for view, one in pairs if view.status is not Status.RUNNING]
    return sorted((odd for odd in found if odd.reasons), key=lambda odd: odd.weight, reverse=True)


class _Compare:
    """What the others do."""

    def __init__(self, pairs: Sequence[tuple[OperationView, Traced]], tree: UsualTree) -> None:
        self._usual = {one.path for one in tree.calls if one.share >= USUAL}
        self._rare = {one.path for one in tree.calls if one.share <= RARE}
        self._known = {one.path for one in tree.calls}
        self._enough = tree.operations >= FEWEST
        self._limits = _limits(one for _, one in pairs)
        self._whole = _Limit.of([view.duration_ns for view, _ in pairs if view.duration_ns is not None])

    def reasons(self, view: OperationView, one: Traced) -> list[Reason]:
        """Why it is odd, the worst first; of many the first."""
        found = [*_ended_badly(view, one)]
        if self._enough:
            found += [*_together(self._missing(view, one)), *_together(self._extra(one))]
            found += list(self._slow(one))[:MOST_SLOW] or self._long(view)
        return found[:MOST_REASONS]

    def _slow(self, one: Traced) -> Iterator[Reason]:
        slow = {
            path: limit.over(took)
            for path, call in one.steps.items()
            if (limit := self._limits.get(path)) and (took := _took(call)) is not None and limit.over(took)
        }
        for path, over in sorted(slow.items(), key=lambda pair: -pair[1]):
            call = one.steps[path]
            inner = max((other for below, other in slow.items() if _is_below(below, path)), default=0)
            if call.kind is not MessageKind.REQUEST or inner < over // 2:
                yield _reason("slow", path, call, took_ns=_took(call), usual_ns=self._limits[path].median_ns)

    def _long(self, view: OperationView) -> list[Reason]:
        took = view.duration_ns
        if self._whole is None or took is None or not self._whole.over(took):
            return []
        return [Reason(sort="long", method="", below="", took_ns=took, usual_ns=self._whole.median_ns)]

    def _missing(self, view: OperationView, one: Traced) -> Iterator[Reason]:
        """Not where a tap was blind: there nobody knows."""
        lacks = set() if view.gaps else self._usual - one.steps.keys()
        for path in sorted(lacks):
            if path[:-1] not in lacks:
                yield _reason("missing", path)

    def _extra(self, one: Traced) -> Iterator[Reason]:
        more = {path for path in one.steps if path in self._rare or path not in self._known}
        for path in sorted(more):
            if path[:-1] not in more:
                yield _reason("extra", path, one.steps[path])


@dataclass(frozen=True, slots=True)
class _Limit:
    median_ns: int
    most_ns: int

    @classmethod
    def of(cls, values: Iterable[int]) -> _Limit | None:
        ordered = sorted(values)
        if len(ordered) < FEWEST:
            return None
        low, middle, high = (percentile(ordered, share) or 0.0 for share in (0.25, 0.5, 0.75))
        return cls(round(middle), round(max(3 * middle, high + 3 * (high - low), middle + _CLEARLY_NS)))

    def over(self, took_ns: int) -> int:
        """How much longer than the median when it is slow; else 0."""
        return took_ns - self.median_ns if took_ns > self.most_ns else 0


def _limits(several: Iterable[Traced]) -> Mapping[Path, _Limit]:
    times: defaultdict[Path, list[int]] = defaultdict(list)
    for one in several:
        for path, call in one.steps.items():
            if (took := _took(call)) is not None:
                times[path].append(took)
    found = {path: _Limit.of(values) for path, values in times.items()}
    return {path: limit for path, limit in found.items() if limit}


def _took(call: Call) -> int | None:
    """Publish to reply of a call; the wait in the queue of what has no reply."""
    if call.kind is MessageKind.REQUEST:
        return between(call.published_ns, call.replied_ns)
    return next((stage.took_ns for stage in stages(call) if stage.name == WAIT), None)


def _ended_badly(view: OperationView, one: Traced) -> Iterator[Reason]:
    whole = view.whole
    if view.status is Status.STUCK:
        owed = view.owed.method if view.owed else ""
        yield Reason(sort="stuck", method=owed, below="")
    bad = [(path, call) for path, call in one.steps.items() if is_failed(call)]
    deepest = [(path, call) for path, call in bad if not any(_is_below(other, path) for other, _ in bad)]
    yield from (_reason("failed", path, call, error=call.failure) for path, call in deepest)
    if view.status is Status.FAILED and not deepest:
        yield Reason(sort="failed", method="", below="", error=whole.error)


def _is_below(path: Path, above: Path) -> bool:
    return len(path) > len(above) and path[: len(above)] == above


def _together(reasons: Iterable[Reason]) -> list[Reason]:
    """Steps of one method below one method as one reason with their count."""
    found: dict[tuple[str, str], Reason] = {}
    for reason in reasons:
        key = (reason.method, reason.below)
        found[key] = replace(found[key], count=found[key].count + 1) if key in found else reason
    return list(found.values())


def _reason(
    sort: str, path: Path, call: Call | None = None, *, error: str = "", took_ns: int | None = None,
    usual_ns: int | None = None,
) -> Reason:  # fmt: skip
    return Reason(
        sort=sort, method=short(path[-1].method), below=short(path[-2].method) if len(path) > 1 else "",
        place=path[-1].place, call=call.unique_id if call else "", error=error, took_ns=took_ns, usual_ns=usual_ns,
        in_queue=sort == "slow" and call is not None and call.kind is not MessageKind.REQUEST,
    )  # fmt: skip
