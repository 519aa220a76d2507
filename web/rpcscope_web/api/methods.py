"""Methods, and one of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from rpcscope.query.gaps import gaps_touching
from rpcscope.query.method import method
from rpcscope_web.api.models import Answer, Gap, Range
from rpcscope_web.api.red import Looked, Quantiles, Red, Share
from rpcscope_web.method_filters import AskedMethods, listed
from rpcscope_web.problems import RESPONSES
from rpcscope_web.render import address
from rpcscope_web.site import AskedRange, AskedReader

router = APIRouter(prefix="/api/v1", tags=["methods"], responses=RESPONSES)


class MethodRow(Red):
    """One method, and the services that take it."""

    method: str
    services: list[str]


class MethodPage(Answer):
    """Methods in the order asked for."""

    range: Range
    looked: Looked
    items: list[MethodRow]
    next: str | None
    gaps: list[Gap]


class Worker(Answer):
    """What one process did of the work."""

    process: str
    host: str | None
    calls: int
    share: float
    errors: int
    execution_ms: Quantiles


class Slow(Answer):
    """One of the slowest calls."""

    unique_id: str
    request_id: str | None
    published_at: str | None
    total_ms: float | None
    broker_wait_ms: float | None
    server_ms: float | None
    outcome: str
    worker: str | None


class Method(Answer):
    """One method in a time; percentiles are those of the calls that were looked at."""

    range: Range
    method: str
    looked: Looked
    looked_calls: int
    kinds: dict[str, int]
    count: int
    known: int
    failed: int
    expected: int
    timed_out: int
    error_share: float | None
    total_ms: Quantiles
    wait_ms: Quantiles
    execution_ms: Quantiles
    reply_wait_ms: Quantiles
    request_bytes: Quantiles
    reply_bytes: Quantiles
    failures: list[Share]
    callers: list[Share]
    operation_kinds: list[Share]
    workers: list[Worker]
    processes: int
    unevenness: float | None
    slowest: list[Slow]
    gaps: list[Gap]


@router.get("/methods", response_model=MethodPage)
def read_methods(
    reader: AskedReader, range: AskedRange, wanted: AskedMethods,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100, offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> dict[str, Any]:  # fmt: skip
    """Rate, errors and duration of each; follow `next` for the others."""
    found = listed(reader, range, wanted)
    further = {**range.fixed(), **wanted.query(), "limit": limit, "offset": offset + limit}
    return {
        "range": Range.of(range),
        "looked": found.looked.as_dict(),
        "items": [row.as_dict() for row in found.rows[offset : offset + limit]],
        "next": address("/api/v1/methods", further) if offset + limit < len(found.rows) else None,
        "gaps": [one.as_dict() for one in gaps_touching(reader, range.from_ns, range.to_ns)],
    }


@router.get("/methods/{name:path}", response_model=Method)
def read_method(reader: AskedReader, range: AskedRange, name: str) -> dict[str, Any]:
    """Its callers, stages, workers and slowest calls; a count of 0 when it was not called in the time."""
    found = method(reader, name, range.from_ns, range.to_ns)
    gaps = [one.as_dict() for one in gaps_touching(reader, range.from_ns, range.to_ns)]
    return {"range": Range.of(range), **found.as_dict(), "gaps": gaps}
