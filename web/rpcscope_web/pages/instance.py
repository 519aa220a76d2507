"""All that ever touched one server."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from rpcscope.query.instance import MOST, instance_view
from rpcscope.query.kind_words import in_words
from rpcscope_web.render import page
from rpcscope_web.site import AskedLifetime, AskedReader, AskedSite
from rpcscope_web.timeline import timeline

router = APIRouter(include_in_schema=False)


@router.get("/instances/{instance:path}")
def show(request: Request, site: AskedSite, reader: AskedReader, range: AskedLifetime, instance: str) -> HTMLResponse:
    """Its operations by time, as a picture and as a table."""
    found = instance_view(reader, instance, range.from_ns, range.to_ns, stuck_after_s=site.settings.stuck_after_s)
    return page(
        request, "instance.html", range=range, server=found, gaps=found.gaps, most=MOST, in_words=in_words,
        timeline=timeline(found),
    )  # fmt: skip
