"""One operation told in other forms: text, Mermaid, where its time went, what it spent."""

from __future__ import annotations

import re
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse, Response

from rpcscope.query.breakdown import by_host, by_method, by_service
from rpcscope.query.critical import critical_path
from rpcscope.query.mermaid import mermaid
from rpcscope.query.outline import outline
from rpcscope.query.times import ms
from rpcscope.query.trace import Trace, traces
from rpcscope.query.usual import steps, usual
from rpcscope.store.protocol import Reader
from rpcscope_web.api.models import Answer
from rpcscope_web.problems import RESPONSES, NotFound
from rpcscope_web.site import AskedReader, AskedSite, Site

router = APIRouter(prefix="/api/v1/operations/{request_id:path}", tags=["operations"], responses=RESPONSES)
Download = Annotated[str, Query(max_length=1, description="1: as a file to save.")]
_PLAIN = "text/plain; charset=utf-8"


class Link(Answer):
    """A part of the critical path."""

    stage: str
    ms: float | None
    method: str | None
    unique_id: str | None
    who: str | None


class Path(Answer):
    """Parts that follow each other without a hole: together they are the duration."""

    total_ms: float | None
    links: list[Link]


class Spent(Answer):
    """RPCs of one name added up; null for what is not known of any."""

    name: str
    rpcs: int
    calls: int
    casts: int
    fanouts: int
    total_ms: float | None
    wait_ms: float | None
    pool_wait_ms: float | None
    execution_ms: float | None
    reply_wait_ms: float | None
    bytes: int | None
    failed: int


class Statistics(Answer):
    """What an operation caused, in three ways."""

    methods: list[Spent]
    services: list[Spent]
    hosts: list[Spent]


class Band(Answer):
    """Of the same step in other operations."""

    p5_ms: float | None
    p50_ms: float | None
    p95_ms: float | None


class UsualStep(Answer):
    """What is usual for one call."""

    unique_id: str
    operations: int
    whole: Band | None
    wait: Band | None
    execution: Band | None


class Usual(Answer):
    """From the newest operations of its kind that were done."""

    operations: int
    steps: list[UsualStep]


@router.get("/mermaid", response_class=PlainTextResponse)
def read_mermaid(site: AskedSite, reader: AskedReader, request_id: str, download: Download = "") -> Response:
    """A Mermaid sequence diagram; of a global request id, of its newest operation."""
    return _file(mermaid(_one(reader, site, request_id)), request_id, "mmd", download)


@router.get("/text", response_class=PlainTextResponse)
def read_text(site: AskedSite, reader: AskedReader, request_id: str, download: Download = "") -> Response:
    """The tree as plain text."""
    return _file(outline(_one(reader, site, request_id)), request_id, "txt", download)


@router.get("/trace")
def read_trace(site: AskedSite, reader: AskedReader, request_id: str, download: Download = "") -> Response:
    """The operation, its calls as trees, and the calls that only carry its request id."""
    body = orjson.dumps(_one(reader, site, request_id).as_dict(), option=orjson.OPT_INDENT_2)
    return _file(body, request_id, "json", download, "application/json")


@router.get("/critical-path", response_model=Path)
def read_critical_path(site: AskedSite, reader: AskedReader, request_id: str) -> dict[str, Any]:
    """Which chain of waits made the duration."""
    trace = _one(reader, site, request_id)
    return {"total_ms": ms(trace.to_ns - trace.from_ns), "links": [link.as_dict() for link in critical_path(trace)]}


@router.get("/statistics", response_model=Statistics)
def read_statistics(site: AskedSite, reader: AskedReader, request_id: str) -> dict[str, Any]:
    """By method, by service that worked on it, by host."""
    calls = _one(reader, site, request_id).calls
    found = {"methods": by_method(calls), "services": by_service(calls), "hosts": by_host(calls)}
    return {name: [row.as_dict() for row in rows] for name, rows in found.items()}


@router.get("/usual", response_model=Usual)
def read_usual(site: AskedSite, reader: AskedReader, request_id: str) -> dict[str, Any]:
    """How long its calls take in other operations of its kind."""
    trace = _one(reader, site, request_id)
    found = usual(reader, trace)
    known = [
        {"unique_id": unique_id, **found.steps[step].as_dict()}
        for unique_id, step in steps([view.call for view in trace.calls]).items()
        if step in found.steps
    ]
    return {"operations": found.operations, "steps": known}


def _one(reader: Reader, site: Site, request_id: str) -> Trace:
    found = traces(reader, request_id, stuck_after_s=site.settings.stuck_after_s) if request_id else []
    if not found:
        raise NotFound("no operation has this request id: GET /api/v1/operations lists them")
    return found[0]


def _file(content: str | bytes, request_id: str, ending: str, download: str, media_type: str = _PLAIN) -> Response:
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", request_id)[:80]
    headers = {"Content-Disposition": f'attachment; filename="{name}.{ending}"'} if download else {}
    return Response(content, media_type=media_type, headers={"Cache-Control": "no-store", **headers})
