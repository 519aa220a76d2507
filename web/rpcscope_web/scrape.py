"""/metrics: what is stored, for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from rpcscope.export.metrics.text import CONTENT_TYPE, exposition
from rpcscope_web.site import AskedSite

PATH = "/metrics"
router = APIRouter(include_in_schema=False)


@router.get(PATH)
def metrics(site: AskedSite) -> PlainTextResponse:
    """All metrics as of now. Counters begin with the first scrape."""
    text = exposition(site.follower.look())
    return PlainTextResponse(text, media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})
