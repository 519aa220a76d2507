"""Operations that match, a page at a time; and one of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from rpcscope.query.calls import Calls
from rpcscope.query.gaps import gaps_touching
from rpcscope.query.operations import Operations
from rpcscope.query.tree import grow, walk
from rpcscope.store.protocol import OperationFilter
from rpcscope_web.filters import AskedFilter, listed
from rpcscope_web.problems import NotFound
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


@router.get("/operations/{request_id:path}")
def one(request: Request, site: AskedSite, reader: AskedReader, range: AskedRange, request_id: str) -> HTMLResponse:
    """What it cost, and its calls as a tree."""
    asked = Operations(reader, stuck_after_s=site.settings.stuck_after_s)
    views = list(asked.find(OperationFilter(request_id=request_id)))
    if not views:
        raise NotFound("no operation has this request id: search for another one")
    calls = Calls(reader)
    trees = [(view, list(walk(grow(calls.of_operation(view.ids))))) for view in views]
    return page(request, "operation.html", range=range, trees=trees, request_id=request_id)
