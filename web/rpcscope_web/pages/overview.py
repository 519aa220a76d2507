"""The first page: how many RPCs each kind of operation makes, and how the bus fares now."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from rpcscope.query.cost import conditions
from rpcscope.query.gaps import gaps_touching
from rpcscope.query.in_flight import in_flight
from rpcscope.query.overview import overview
from rpcscope.query.queues import queues
from rpcscope_web.flagged import flagged_now
from rpcscope_web.render import page
from rpcscope_web.site import AskedRange, AskedReader, AskedSite
from rpcscope_web.trace.names import label

_SHOWN = 8
"""Queue families and processes; their own pages have the rest."""
router = APIRouter(include_in_schema=False)


@router.get("/")
def show(request: Request, site: AskedSite, reader: AskedReader, range: AskedRange) -> HTMLResponse:
    """The founding answer first."""
    depth = queues(reader)
    return page(
        request, "overview.html", range=range,
        overview=overview(reader, range.from_ns, range.to_ns, stuck_after_s=site.settings.stuck_after_s),
        gaps=gaps_touching(reader, range.from_ns, range.to_ns),
        flags=flagged_now(reader, range).flags,
        label=label,
        polls=depth.polls,
        families=depth.rows[:_SHOWN],
        working=in_flight(reader)[:_SHOWN],
        conditions=conditions(reader),
        is_empty=not reader.recordings(),
    )  # fmt: skip
