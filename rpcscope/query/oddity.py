"""Operations that are not like the others of their kind, and why: failed, missing, extra or slow steps.

A step is usual when nine of ten operations have it, and extra when at most one of ten has it. What is slow is said in
`slowness`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rpcscope.model import Call, MessageKind, Outcome, Status
from rpcscope.query.alignment import Path
from rpcscope.query.operations import OperationView
from rpcscope.query.reasons import Reason, reason_of, together
from rpcscope.query.slowness import FEWEST, Limit, limits, took_of
from rpcscope.query.usual_tree import Traced, UsualTree, is_failed

USUAL, RARE = 0.9, 0.1
MOST_REASONS, MOST_SLOW = 8, 3
"""That are told of one operation, and of them slow steps."""


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
        self._limits = limits(one for _, one in pairs)
        self._whole = Limit.of([view.duration_ns for view, _ in pairs if view.duration_ns is not None])

    def reasons(self, view: OperationView, one: Traced) -> list[Reason]:
        """Why it is odd, the worst first; of many the first."""
        found = [*_ended_badly(view, one)]
        if self._enough:
            found += [*together(self._missing(view, one)), *together(self._extra(one))]
            found += list(self._slow(one))[:MOST_SLOW] or self._long(view)
        return found[:MOST_REASONS]

    def _slow(self, one: Traced) -> Iterator[Reason]:
        slow = {
            path: limit.over(took)
            for path, call in one.steps.items()
            if (limit := self._limits.get(path)) and (took := took_of(call)) is not None and limit.over(took)
        }
        for path, over in sorted(slow.items(), key=lambda pair: -pair[1]):
            call = one.steps[path]
            inner = max((other for below, other in slow.items() if _is_below(below, path)), default=0)
            if call.kind is not MessageKind.REQUEST or inner < over // 2:
                yield reason_of("slow", path, call, took_ns=took_of(call), usual_ns=self._limits[path].median_ns)

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
                yield reason_of("missing", path)

    def _extra(self, one: Traced) -> Iterator[Reason]:
        more = {path for path in one.steps if path in self._rare or path not in self._known}
        for path in sorted(more):
            if path[:-1] not in more:
                yield reason_of("extra", path, one.steps[path])


def _ended_badly(view: OperationView, one: Traced) -> Iterator[Reason]:
    whole = view.whole
    if view.status is Status.STUCK:
        owed = view.owed.method if view.owed else ""
        yield Reason(sort="stuck", method=owed, below="")
    bad = [(path, call) for path, call in one.steps.items() if is_failed(call) and not _is_doubtful(view, call)]
    deepest = [(path, call) for path, call in bad if not any(_is_below(other, path) for other, _ in bad)]
    yield from (reason_of("failed", path, call, error=call.failure) for path, call in deepest)
    if view.status is Status.FAILED and not deepest:
        yield Reason(sort="failed", method="", below="", error=whole.error)


def _is_doubtful(view: OperationView, call: Call) -> bool:
    """Its reply may have come while a tap was blind."""
    return bool(view.gaps) and call.outcome is Outcome.TIMED_OUT and call.replied_ns is None


def _is_below(path: Path, above: Path) -> bool:
    return len(path) > len(above) and path[: len(above)] == above
