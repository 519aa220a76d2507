"""How deep the queues are."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from rpcscope.query.queues import queues
from rpcscope_web.api.models import Answer
from rpcscope_web.problems import RESPONSES
from rpcscope_web.site import AskedReader

router = APIRouter(prefix="/api/v1", tags=["queues"], responses=RESPONSES)


class Poll(Answer):
    """The newest look at the queues of a vhost."""

    as_of: str | None
    vhost: str
    source: str
    queues: int
    complete: bool


class Queue(Answer):
    """A family of queues, or one queue."""

    name: str
    vhost: str
    queues: int
    ready: int | None
    unacked: int | None
    consumers: int | None
    consumerless: int
    memory: int | None
    publish_rate: float | None
    deliver_rate: float | None
    ack_rate: float | None
    growth: int | None


class Queues(Answer):
    """As of the newest poll of each vhost, the deepest first."""

    polls: list[Poll]
    queues: list[Queue]


@router.get("/queues", response_model=Queues)
def read_queues(
    reader: AskedReader,
    name: Annotated[str | None, Query(max_length=255, description="A queue, or a family whose queues to list.")] = None,
    by_queue: bool = False,
    window_s: Annotated[float, Query(ge=1, le=86_400, description="How far back growth looks.")] = 600.0,
) -> dict[str, Any]:
    """Depth, consumers and rates, by family or by queue."""
    return queues(reader, name, by_queue=by_queue, window_s=window_s).as_dict()
