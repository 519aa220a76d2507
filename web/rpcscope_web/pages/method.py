"""One method: over time, its callers, its stages, its workers, its slowest calls."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from rpcscope.model import Outcome
from rpcscope.query.gaps import gaps_touching
from rpcscope.query.lifelines import short
from rpcscope.query.method import method
from rpcscope.query.method_calls import executed, took, waited
from rpcscope_web.paces import pace
from rpcscope_web.render import page
from rpcscope_web.site import AskedRange, AskedReader
from rpcscope_web.trace import names

router = APIRouter(include_in_schema=False)


@router.get("/methods/{name:path}")
def show(request: Request, reader: AskedReader, range: AskedRange, name: str) -> HTMLResponse:
    """The numbers of a time; empty when it was not called in it."""
    return page(
        request, "method.html", range=range, found=method(reader, name, range.from_ns, range.to_ns), name=name,
        title=names.cut(short(name), 80), seconds=max(1, range.to_ns - range.from_ns) / 1e9,
        gaps=gaps_touching(reader, range.from_ns, range.to_ns), pace=pace, method=names.method, took=took,
        waited=waited, executed=executed, outcomes={int(one): one.name.lower() for one in Outcome},
    )  # fmt: skip
