"""What a kind of operation costs: the founding question, answered from what was recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from rpcscope.model import MessageKind, Status
from rpcscope.query.calls import KIND_WORDS
from rpcscope.query.gaps import Loss, together
from rpcscope.query.operations import Operations, OperationView
from rpcscope.query.times import MS, percentile
from rpcscope.store.protocol import MethodTotal, OperationFilter, Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Median, 95th percentile and maximum of some operations."""

    p50: float | None
    p95: float | None
    max: float | None

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The spread of values in any order."""
        ordered = sorted(values)
        return cls(p50=percentile(ordered, 0.5), p95=percentile(ordered, 0.95), max=ordered[-1] if ordered else None)

    def as_dict(self, digits: int = 1) -> dict[str, float | None]:
        """p50, p95, max, rounded."""
        return {
            name: None if value is None else round(value, digits)
            for name, value in (("p50", self.p50), ("p95", self.p95), ("max", self.max))
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCost:
    """One method within a kind of operation."""

    method: str
    kind: str  # call | cast | fanout | notification
    count: int  # publishes
    per_operation: float
    messages: int | None  # with replies and heartbeats; None where those of some are unknown
    share: float | None  # of the kind's messages, 0 to 1; None likewise
    bytes: int | None
    failed: int | None  # unexpected failures
    expected_failures: int | None
    timed_out: int | None
    mean_ms: float | None  # publish to reply

    def as_dict(self) -> dict[str, object]:
        """All fields, rounded."""
        return {
            "method": self.method,
            "kind": self.kind,
            "count": self.count,
            "per_operation": round(self.per_operation, 3),
            "messages": self.messages,
            "share": None if self.share is None else round(self.share, 4),
            "bytes": self.bytes,
            "failed": self.failed,
            "expected_failures": self.expected_failures,
            "timed_out": self.timed_out,
            "mean_ms": None if self.mean_ms is None else round(self.mean_ms, 3),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCost:
    """One kind of operation. Spreads are over whole operations that came to their end."""

    kind: str
    operations: int  # whole and over
    left_out: int  # unfinished, or their beginning was not recorded
    failed: int  # of `operations`
    rpcs: Spread
    calls: Spread
    casts: Spread
    fanouts: Spread
    replies: Spread
    heartbeats: Spread
    notifications: Spread
    messages: Spread  # by request id
    messages_by_cause: Spread
    bytes: Spread
    duration_ms: Spread
    touched: int  # of `operations`: a tap was blind during them, so their counts may be too low
    gaps: tuple[Loss, ...]  # when a tap was blind during any operation of the kind
    requests_only: int  # of `operations`: left out of replies, heartbeats, messages and bytes, which are unknown
    methods: tuple[MethodCost, ...]

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        counts = ("rpcs", "calls", "casts", "fanouts", "replies", "heartbeats", "notifications")
        spreads = (*counts, "messages", "messages_by_cause", "bytes")
        return {
            "kind": self.kind,
            "operations": self.operations,
            "left_out": self.left_out,
            "failed": self.failed,
            **{name: getattr(self, name).as_dict() for name in spreads},
            "duration_ms": self.duration_ms.as_dict(3),
            "operations_with_gaps": self.touched,
            "gaps": [loss.as_dict() for loss in self.gaps],
            "replies_unseen": self.requests_only,
            "methods": [method.as_dict() for method in self.methods],
        }


def costs(
    reader: Reader, *, kind: str | None = None, background: bool | None = False, include_failed: bool = False
) -> list[KindCost]:
    """Costs by kind, the most frequent first."""
    views: dict[str, list[OperationView]] = {}
    for view in Operations(reader).find(OperationFilter(kind=kind, background=background)):
        if view.whole.request_id:
            views.setdefault(view.whole.kind, []).append(view)
    totals: dict[str, list[MethodTotal]] = {}
    for total in reader.method_totals(kind=kind, background=background):
        totals.setdefault(total.operation_kind, []).append(total)
    found = [kind_cost(name, group, totals.get(name, []), include_failed) for name, group in views.items()]
    return sorted(found, key=lambda cost: (-cost.operations, cost.kind))


def kind_cost(
    kind: str, views: list[OperationView], totals: list[MethodTotal], include_failed: bool = False
) -> KindCost:
    """The cost of one kind: of all its operations, over or not, and the totals of its methods."""
    over = [v for v in views if v.whole.complete and v.status in (Status.DONE, Status.FAILED)]
    failed = [v for v in over if v.status is Status.FAILED]
    if not include_failed and len(failed) < len(over):
        over = [v for v in over if v.status is Status.DONE]
    tallies = [v.whole.by_request for v in over]
    answered = [v.whole for v in over if not v.requests_only]
    known = [whole.by_request for whole in answered]
    return KindCost(
        kind=kind,
        operations=len(over),
        left_out=len(views) - len(over),
        failed=len(failed),
        rpcs=Spread.of(t.rpcs for t in tallies),
        calls=Spread.of(t.calls for t in tallies),
        casts=Spread.of(t.casts for t in tallies),
        fanouts=Spread.of(t.fanouts for t in tallies),
        replies=Spread.of(t.replies for t in known),
        heartbeats=Spread.of(t.heartbeats for t in known),
        notifications=Spread.of(t.notifications for t in tallies),
        messages=Spread.of(t.messages for t in known),
        messages_by_cause=Spread.of(whole.by_cause.messages for whole in answered),
        bytes=Spread.of(t.bytes for t in known),
        duration_ms=Spread.of(v.duration_ns / MS for v in over if v.duration_ns is not None),
        touched=sum(1 for v in over if v.gaps),
        gaps=together(v.gaps for v in views),
        requests_only=len(over) - len(answered),
        methods=_methods(totals, len(views), any(v.requests_only for v in views)),
    )


def _methods(totals: list[MethodTotal], operations: int, requests_only: bool) -> tuple[MethodCost, ...]:
    everything = sum(_messages(t) for t in totals) or 1
    rows = [
        MethodCost(
            method=t.method or "(its request was not recorded)",
            kind=KIND_WORDS[t.call_kind],
            count=t.publishes,
            per_operation=t.publishes / max(1, operations),
            messages=_messages(t),
            share=_messages(t) / everything,
            bytes=t.request_bytes + t.reply_bytes,
            failed=t.failed - t.expected_failures,
            expected_failures=t.expected_failures,
            timed_out=t.timed_out,
            mean_ms=t.answer_ns / t.answered / MS if t.answered else None,
        )
        for t in totals
    ]
    rows = [_without_replies(row) for row in rows] if requests_only else rows
    return tuple(sorted(rows, key=lambda row: (-(row.messages or row.count), row.method)))


def _without_replies(row: MethodCost) -> MethodCost:
    """Totals of which a part is unknown are unknown; what has no reply is known."""
    if row.kind != KIND_WORDS[MessageKind.REQUEST]:
        return replace(row, share=None)
    return replace(row, messages=None, share=None, bytes=None, failed=None, expected_failures=None, timed_out=None)


def _messages(t: MethodTotal) -> int:
    return t.publishes + t.replies + t.heartbeats


def conditions(reader: Reader) -> list[str]:
    """What was said of the recordings, each once, with how many recordings it holds for."""
    said = Counter(info.recording.conditions or "conditions not stated" for info in reader.recordings())
    return [f"{text} ({number} recording{'s' if number > 1 else ''})" for text, number in said.most_common()]
