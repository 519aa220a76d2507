"""What methods cost within the operations of one kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from rpcscope.model import RPCS, Call, MessageKind
from rpcscope.query.calls import KIND_WORDS
from rpcscope.query.cost import Spread
from rpcscope.query.times import MS, between
from rpcscope.query.usual_tree import failures


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodShare:
    """One method of some operations, whatever called it."""

    method: str
    rpcs: dict[str, int]  # publishes by kind: call, cast, fanout
    per_operation: float  # publishes
    messages: int | None  # with replies and heartbeats; None where replies were not to be seen
    share: float | None  # of the messages of all methods, 0 to 1
    bytes: int | None  # of requests and replies
    failed: int | None  # unexpectedly, or timed out; None where replies were not to be seen
    took: Spread  # ms, publish to reply, of calls

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "method": self.method, "calls": self.rpcs.get("call", 0), "casts": self.rpcs.get("cast", 0),
            "fanouts": self.rpcs.get("fanout", 0), "per_operation": round(self.per_operation, 3),
            "messages": self.messages, "share": None if self.share is None else round(self.share, 4),
            "bytes": self.bytes, "failed": self.failed, "took_ms": self.took.as_dict(3),
        }  # fmt: skip


def method_shares(calls: Iterable[Call], operations: int, *, requests_only: bool) -> list[MethodShare]:
    """The methods with most messages first.

    Args:
        operations: how many the calls are of.
        requests_only: replies of some of them were not to be seen.
    """
    groups: defaultdict[str, list[Call]] = defaultdict(list)
    for call in calls:
        if call.kind in RPCS:
            groups[call.method].append(call)
    everything = sum(_messages(call) for mine in groups.values() for call in mine) or 1
    rows = [_share(method, mine, operations, everything, requests_only) for method, mine in groups.items()]
    return sorted(rows, key=lambda row: (-(row.messages or sum(row.rpcs.values())), row.method))


def _share(method: str, calls: list[Call], operations: int, everything: int, requests_only: bool) -> MethodShare:
    rpcs: Counter[str] = Counter()
    for call in calls:
        rpcs[KIND_WORDS[call.kind]] += call.publishes
    unseen = requests_only and any(call.kind is MessageKind.REQUEST for call in calls)
    messages = sum(map(_messages, calls))
    took = (between(call.published_ns, call.replied_ns) for call in calls)
    return MethodShare(
        method=method,
        rpcs=dict(rpcs),
        per_operation=sum(rpcs.values()) / max(1, operations),
        messages=None if unseen else messages,
        share=None if requests_only else messages / everything,
        bytes=None if unseen else sum(call.request_bytes + call.reply_bytes for call in calls),
        failed=failures(calls),
        took=Spread.of(ns / MS for ns in took if ns is not None),
    )


def _messages(call: Call) -> int:
    return call.publishes + call.replies + call.heartbeats
