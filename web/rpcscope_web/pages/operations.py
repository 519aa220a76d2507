"""Operations that match, a page at a time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from rpcscope.query.gaps import gaps_touching
from rpcscope_web.filters import AskedFilter, listed
from rpcscope_web.render import page
from rpcscope_web.site import AskedRange, AskedReader, AskedSite

PAGE = 50
router = APIRouter(include_in_schema=False)


@router.get("/operations")
def show(
    request: Request, site: AskedSite, reader: AskedReader, range: AskedRange, wanted: AskedFilter,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> HTMLResponse:  # fmt: skip
    """A table; every filter stands in the address."""
    found = listed(reader, range, wanted, limit=PAGE, offset=offset, stuck_after_s=site.settings.stuck_after_s)
    return page(
        request, "operations.html", range=range, found=found, wanted=wanted, offset=offset, size=PAGE,
        gaps=gaps_touching(reader, range.from_ns, range.to_ns),
    )  # fmt: skip
