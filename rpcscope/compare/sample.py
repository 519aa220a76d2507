"""One operation as a comparison sees it: how often it used each method, how long that took, how large it was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from rpcscope.model import RPCS, Call, MessageKind, Status
from rpcscope.query.calls import KIND_WORDS
from rpcscope.query.operations import OperationView
from rpcscope.query.times import between
from rpcscope.query.usual_tree import failures

COUNTED = (*RPCS, MessageKind.NOTIFICATION)


class Method(NamedTuple):
    """One method of one service, by what it was sent as."""

    kind: str  # call | cast | fanout | notification
    service: str  # topic, or the exchange of a fanout
    name: str

    def __str__(self) -> str:
        """As people write it in a budget."""
        return f"{self.service} {self.name}" if self.service else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What one operation had of one method. None is unknown."""

    count: int  # publishes
    took_ns: float | None  # the median of its calls from publish to reply; None when none was answered
    bytes: float | None  # of a request with its replies, the mean
    failed: int | None  # unexpectedly, or timed out


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One operation that is over."""

    request_id: str
    failed: bool
    rpcs: int
    messages: int | None
    bytes: int | None
    duration_ns: int | None
    methods: Mapping[Method, Used]


def sample(view: OperationView, calls: Iterable[Call], *, by_cause: bool = False) -> Sample:
    """An operation and the calls that count for it."""
    tally = view.whole.by_cause if by_cause else view.whole.by_request
    groups: defaultdict[Method, list[Call]] = defaultdict(list)
    for call in calls:
        if call.kind in COUNTED and call.method and call.publishes:
            groups[method_of(call)].append(call)
    return Sample(
        request_id=view.whole.request_id,
        failed=view.status is Status.FAILED,
        rpcs=tally.rpcs,
        messages=None if view.requests_only else tally.messages,
        bytes=None if view.requests_only else tally.bytes,
        duration_ns=view.duration_ns,
        methods={key: _used(mine, unseen=view.requests_only) for key, mine in groups.items()},
    )


def method_of(call: Call) -> Method:
    """What a call is counted under."""
    service = call.topic or call.exchange.removesuffix("_fanout")
    return Method(KIND_WORDS[call.kind], service, call.method)


def _used(calls: list[Call], *, unseen: bool) -> Used:
    publishes = sum(call.publishes for call in calls)
    took = [ns for call in calls if (ns := between(call.published_ns, call.replied_ns)) is not None]
    hidden = unseen and calls[0].kind is MessageKind.REQUEST
    size = sum(call.request_bytes + call.reply_bytes for call in calls)
    return Used(
        count=publishes,
        took_ns=median(took) if took else None,
        bytes=None if hidden else size / publishes,
        failed=None if hidden else failures(calls),
    )
