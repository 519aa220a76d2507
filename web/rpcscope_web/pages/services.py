"""Services: who calls whom, as a picture and as tables; the processes of one of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from rpcscope.query.gaps import gaps_touching
from rpcscope.query.service_processes import service_processes
from rpcscope.query.services import services
from rpcscope_web.graph.drawing import draw
from rpcscope_web.graph.layout import plan
from rpcscope_web.paces import pace
from rpcscope_web.render import address, page
from rpcscope_web.site import AskedRange, AskedReader

MOST_DRAWN = 14
MOST_LISTED = 300
router = APIRouter(include_in_schema=False)


@router.get("/services")
def show(
    request: Request, reader: AskedReader, range: AskedRange, service: Annotated[str, Query(max_length=255)] = ""
) -> HTMLResponse:
    """The busiest services as a graph, all of them as tables."""
    found = services(reader, range.from_ns, range.to_ns)
    drawn = found.services[:MOST_DRAWN]

    def href(path: str, **parameters: object) -> str:
        return address(path, {**range.query(), **parameters})

    return page(
        request, "services.html", range=range, found=found, service=service, pace=pace,
        graph=draw(plan(drawn, found.edges), href), left_out=len(found.services) - len(drawn),
        processes=service_processes(reader, service, range.from_ns, most=MOST_LISTED) if service else None,
        most_listed=MOST_LISTED, gaps=gaps_touching(reader, range.from_ns, range.to_ns),
    )  # fmt: skip
