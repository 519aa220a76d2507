"""What hit one host in a time."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from rpcscope.query.calls import KIND_WORDS
from rpcscope.query.gaps import gaps_touching
from rpcscope.query.host import host_view, mean_ns
from rpcscope.query.kind_words import in_words
from rpcscope.query.operations import process_name
from rpcscope_web.render import page
from rpcscope_web.site import AskedRange, AskedReader, AskedSite

PAGE = 50
_METHODS = 30
router = APIRouter(include_in_schema=False)


@router.get("/hosts/{host:path}")
def show(request: Request, site: AskedSite, reader: AskedReader, range: AskedRange, host: str) -> HTMLResponse:
    """Operations that touched it, and its calls by method."""
    found = host_view(reader, host, range.from_ns, range.to_ns, limit=PAGE, stuck_after_s=site.settings.stuck_after_s)
    return page(
        request, "host.html", range=range, host=found, gaps=gaps_touching(reader, range.from_ns, range.to_ns),
        kinds=KIND_WORDS, in_words=in_words, process_name=process_name, mean_ns=mean_ns, most=_METHODS,
    )  # fmt: skip
