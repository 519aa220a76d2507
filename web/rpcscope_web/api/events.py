"""Server-sent events: that something new was stored."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from rpcscope.query.times import iso
from rpcscope_web.problems import RESPONSES
from rpcscope_web.pulse import Beat, Pulse
from rpcscope_web.site import AskedSite

router = APIRouter(prefix="/api/v1", tags=["events"], responses=RESPONSES)


@router.get("/events", response_class=StreamingResponse)
async def follow(site: AskedSite) -> StreamingResponse:
    """A stream of `stored` events, the first at once; `away` while the database can not be reached."""
    if site.pulse.is_full:
        raise HTTPException(503, "too many pages follow already: close some, or reload the page by hand")
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(site.pulse), media_type="text/event-stream", headers=headers)


async def _stream(pulse: Pulse) -> AsyncIterator[str]:
    yield "retry: 3000\n\n"
    async for beat in pulse.beats():
        yield ": nothing new\n\n" if beat is None else _event(beat)


def _event(beat: Beat) -> str:
    if not beat.version:
        return "event: away\ndata: {}\n\n"
    return f"event: stored\ndata: {json.dumps({'last_event': iso(beat.last_ns)})}\n\n"
