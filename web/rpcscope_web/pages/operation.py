"""One operation: its waterfall, tree, sequence, numbers and relatives; and one of its calls."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from rpcscope.model import Clock, Flag
from rpcscope.query.calls import KIND_WORDS
from rpcscope.query.counting import counted
from rpcscope.query.kind_words import in_words
from rpcscope.query.times import between
from rpcscope.query.trace import Trace, traces
from rpcscope.store.protocol import Reader
from rpcscope_web.problems import NotFound
from rpcscope_web.ranges import TimeRange
from rpcscope_web.render import page
from rpcscope_web.site import AskedRange, AskedReader, AskedSite, Site
from rpcscope_web.trace.look import VIEWS, Look, look, look_at_call
from rpcscope_web.trace.names import cut, label, method
from rpcscope_web.trace.waterfall import LEGEND

router = APIRouter(include_in_schema=False)
CLOCKS = {Clock.TAP: "stamped by the tap", Clock.BROKER: "stamped by the broker, deliveries by the tap",
          Clock.HOST: "of the clocks of the hosts: no tap on the bus saw it"}  # fmt: skip


@router.get("/operations/{request_id:path}/calls/{unique_id}")
def show_call(
    request: Request, site: AskedSite, reader: AskedReader, range: AskedRange, request_id: str, unique_id: str
) -> HTMLResponse:
    """The facts of one call. The page of the operation shows this part beside its picture."""
    for trace in _found(reader, site, request_id):
        if found := look_at_call(reader, trace, unique_id):
            return _page(request, range, found, "call")
    raise NotFound("the operation has no such call: open the operation and choose one")


@router.get("/operations/{request_id:path}")
def show(
    request: Request, site: AskedSite, reader: AskedReader, range: AskedRange, request_id: str,
    view: Annotated[str, Query(max_length=20)] = "", zoom: Annotated[str, Query(max_length=255)] = "",
) -> HTMLResponse:  # fmt: skip
    """One operation. Of a global request id with several operations: all of them, to choose from."""
    found = _found(reader, site, request_id)
    if len(found) > 1:
        operations = [trace.operation for trace in found]
        return page(
            request, "operation_choice.html", range=range, operations=operations, asked=request_id, in_words=in_words
        )
    return _page(request, range, look(reader, found[0], view, zoom), view, zoom)


def _found(reader: Reader, site: Site, request_id: str) -> list[Trace]:
    found = traces(reader, request_id, stuck_after_s=site.settings.stuck_after_s) if request_id else []
    if not found:
        raise NotFound("no operation has this request id: search for another one")
    return found


def _page(request: Request, range: TimeRange, found: Look, view: str, zoom: str = "") -> HTMLResponse:
    title = in_words(found.trace.operation.whole.kind)
    return page(
        request, "operation.html", range=range, look=found, view=view, zoom=zoom, views=VIEWS, title=title,
        **told(found.trace),
    )  # fmt: skip


def told(trace: Trace) -> dict[str, Any]:
    """What the templates of an operation are filled with, whichever of its views they show."""
    operation = trace.operation
    return {
        "trace": trace, "operation": operation, "whole": operation.whole, "gaps": operation.gaps, "counted": counted,
        "kinds": KIND_WORDS, "cut": cut, "label": label, "method": method, "between": between, "clocks": CLOCKS,
        "legend": LEGEND, "flag_words": _flags,
    }  # fmt: skip


def _flags(flags: int) -> list[str]:
    """What is remarkable about a call, in words."""
    return [flag.name.lower().replace("_", " ") for flag in Flag if flags & flag and flag.name]
