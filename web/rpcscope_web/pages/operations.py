"""Operations that match, a page at a time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from rpcscope.query.census import census
from rpcscope.query.gaps import gaps_touching
from rpcscope.query.kind_words import in_words
from rpcscope.query.meaning import meaning
from rpcscope.store.protocol import Reader
from rpcscope_web.filters import AskedFilter, AskedPlace, Wanted, listed, written
from rpcscope_web.ranges import TimeRange
from rpcscope_web.render import address, page
from rpcscope_web.site import AskedRange, AskedReader, AskedSite

PAGE = 50
CHIPS = {
    "kind": "Kind", "instance": "Server", "host": "Host", "project": "Project", "request_id": "Request id",
    "status": "Status", "min_duration": "Took at least", "max_duration": "Took at most", "min_rpcs": "RPCs at least",
    "max_rpcs": "RPCs at most",
}  # fmt: skip
COLUMNS = {"started": "their start", "duration": "their duration", "rpcs": "their RPCs", "messages": "their messages"}
STANDINGS = {
    "done": "done", "failed": "failed", "unfinished": "not over", "running": "running", "stuck": "stuck",
    "unknown": "unknown",
}  # fmt: skip
_KINDS = 8
router = APIRouter(include_in_schema=False)


@router.get("/operations")
def show(
    request: Request, site: AskedSite, reader: AskedReader, range: AskedRange, wanted: AskedFilter, after: AskedPlace,
    q: Annotated[str, Query(max_length=255)] = "",
) -> Response:  # fmt: skip
    """A table; every filter stands in the address, and nothing that does not filter."""
    given = request.query_params
    if q.strip():
        return RedirectResponse(_meant(reader, q.strip(), range, wanted), 303)
    if "" in given.values():
        return RedirectResponse(address("/operations", given), 303)
    return _table(request, site.settings.stuck_after_s, reader, range, wanted, after)


def _meant(reader: Reader, text: str, range: TimeRange, wanted: Wanted) -> str:
    """The same list with what was typed as one more filter. An id is looked for in all time."""
    found = meaning(reader, text)
    times = {"last": "all"} if found.is_id else range.query()
    return address("/operations", {**times, **wanted.query(), found.field: found.text})


def _table(
    request: Request, stuck_after_s: float, reader: Reader, range: TimeRange, wanted: Wanted, after: AskedPlace
) -> HTMLResponse:
    found = listed(reader, range, wanted, limit=PAGE, after=after, stuck_after_s=stuck_after_s)
    return page(
        request, "operations.html", range=range, found=found, wanted=wanted, after=after, next=written(found.next),
        census=census(reader, range.from_ns, range.to_ns, background=bool(wanted.background)), most_kinds=_KINDS,
        gaps=gaps_touching(reader, range.from_ns, range.to_ns),
        chips=CHIPS, columns=COLUMNS, standings=STANDINGS, in_words=in_words,
    )  # fmt: skip
