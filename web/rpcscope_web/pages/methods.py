"""Methods: rate, errors and duration of each, in the order that the address says."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from rpcscope.query.gaps import gaps_touching
from rpcscope_web.method_filters import COLUMNS, AskedMethods, listed
from rpcscope_web.paces import pace
from rpcscope_web.render import page
from rpcscope_web.site import AskedRange, AskedReader
from rpcscope_web.trace.names import cut, method

MOST = 300
router = APIRouter(include_in_schema=False)


@router.get("/methods")
def show(request: Request, reader: AskedReader, range: AskedRange, wanted: AskedMethods) -> HTMLResponse:
    """A table of those that match."""
    return page(
        request, "methods.html", range=range, found=listed(reader, range, wanted), wanted=wanted, most=MOST,
        columns=COLUMNS, pace=pace, method=method, cut=cut,
        gaps=gaps_touching(reader, range.from_ns, range.to_ns),
    )  # fmt: skip
