"""Queues over a time, what is in one, who is without consumers, which way messages take."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from rpcscope.query.abandoned import abandoned
from rpcscope.query.churn import churn_marks
from rpcscope.query.depth_over import DepthOver, families_over, queue_over
from rpcscope.query.queues import queues
from rpcscope.query.routes import routes
from rpcscope.query.waiting import waiting
from rpcscope.query.waiting_notes import notes
from rpcscope_web.api.models import Answer, Range
from rpcscope_web.problems import RESPONSES
from rpcscope_web.ranges import TimeRange
from rpcscope_web.site import AskedRange, AskedReader

router = APIRouter(prefix="/api/v1/queues", tags=["queues"], responses=RESPONSES)
Name = Annotated[str, Query(min_length=1, max_length=255, description="A queue, or a family such as compute.*")]
MaybeName = Annotated[str, Query(max_length=255, description="A queue or a family; without it all families.")]
Vhost = Annotated[str, Query(max_length=255, description="Only of this vhost.")]


class Step(Answer):
    """What holds from a time on: the highest, of consumers the fewest. All null: unknown."""

    at: str
    depth: int | None
    unacked: int | None
    consumers: int | None
    publish_rate: float | None
    deliver_rate: float | None
    ack_rate: float | None


class Line(Answer):
    """A queue or a family over the time."""

    name: str
    vhost: str
    sum: bool
    steps: list[Step]


class Mark(Answer):
    """What came or went in a part of the time."""

    at: str
    what: str
    came: bool
    count: int
    queues: list[str]


class History(Answer):
    """The deepest twelve, and what came and went."""

    range: Range
    lines: list[Line]
    churn: list[Mark]


class Share(Answer):
    """Messages of one method, kind or request."""

    name: str | None
    messages: int
    bytes: int
    oldest_at: str | None
    oldest_ms: float | None


class Waiting(Answer):
    """What was published to a queue of one broker and not taken; null is what can not be told."""

    broker: str
    vhost: str
    as_of: str | None
    unknown: str | None
    messages: int | None
    bytes: int | None
    oldest_at: str | None
    expired: int | None
    doubtful: int | None
    by_queue: list[Share]
    by_method: list[Share]
    by_kind: list[Share]
    by_request: list[Share]
    notes: list[str]


class Waitings(Answer):
    """As of the last event of each broker."""

    items: list[Waiting]


class AbandonedQueue(Answer):
    """A queue that nobody consumes."""

    name: str
    vhost: str
    ready: int | None
    unacked: int | None
    lost_at: str | None
    seen_since: str | None
    expires_at_default: str | None


class AbandonedQueues(Answer):
    """The deepest fifty of them, as of the end of the time."""

    range: Range
    items: list[AbandonedQueue]


class BindingWay(Answer):
    """From an exchange to a queue or a family."""

    exchange: str
    queue: str
    keys: str
    count: int


class ConsumerWay(Answer):
    """From a queue or a family to who consumes it."""

    queue: str
    process: str
    host: str | None
    count: int


class Route(Answer):
    """The ways of one vhost."""

    vhost: str
    as_of: str | None
    bindings: list[BindingWay]
    consumers: list[ConsumerWay]
    left_out: int
    exchange_bindings: int


class Routes(Answer):
    """As of the newest layout of each vhost."""

    items: list[Route]


@router.get("/history", response_model=History)
def read_history(reader: AskedReader, range: AskedRange, name: MaybeName = "", vhost: Vhost = "") -> dict[str, Any]:
    """Depth, rates and consumers over the time, and what came and went in it."""
    found = drawn(reader, range, name, vhost)
    return {
        "range": Range.of(range),
        "lines": [line.as_dict() for line in found.lines],
        "churn": [mark.as_dict() for mark in churn_marks(reader, range.from_ns, range.to_ns, name, vhost=vhost)],
    }


@router.get("/waiting", response_model=Waitings)
def read_waiting(reader: AskedReader, name: Name) -> dict[str, Any]:
    """What is in a queue or a family by method, kind of operation and request."""
    return {"items": [{**one.as_dict(), "notes": notes(one)} for one in waiting(reader, name)]}


@router.get("/abandoned", response_model=AbandonedQueues)
def read_abandoned(reader: AskedReader, range: AskedRange, vhost: Vhost = "") -> dict[str, Any]:
    """Queues that nobody consumes, and when they go by oslo.messaging's default."""
    polls = queues(reader, until_ns=range.to_ns).polls
    return {"range": Range.of(range), "items": [one.as_dict() for one in abandoned(reader, polls, vhost=vhost)]}


@router.get("/routes", response_model=Routes)
def read_routes(reader: AskedReader, name: MaybeName = "", vhost: Vhost = "") -> dict[str, Any]:
    """Exchange, binding, queue, process; what is many is folded."""
    return {"items": [one.as_dict() for one in routes(reader, name, vhost=vhost)]}


def drawn(reader: AskedReader, range: TimeRange, name: str, vhost: str) -> DepthOver:
    """What a chart of the range shows: of one queue or family, or of the deepest families."""
    if name:
        return queue_over(reader, name, range.from_ns, range.to_ns, vhost=vhost)
    return families_over(reader, range.from_ns, range.to_ns, vhost=vhost)
