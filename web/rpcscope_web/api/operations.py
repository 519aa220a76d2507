"""Operations that match, and one of them with its calls."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from rpcscope.query.calls import Calls
from rpcscope.query.operations import Operations
from rpcscope.store.protocol import OperationFilter
from rpcscope_web.api.models import Answer, Call, Operation, Range
from rpcscope_web.filters import AskedFilter, AskedPlace, listed, written
from rpcscope_web.problems import RESPONSES, NotFound
from rpcscope_web.render import address
from rpcscope_web.site import AskedRange, AskedReader, AskedSite

router = APIRouter(prefix="/api/v1", tags=["operations"], responses=RESPONSES)


class OperationPage(Answer):
    """Operations, the newest first unless sorted otherwise."""

    range: Range
    items: list[Operation]
    next: str | None = Field(
        description="The address of the next page; null of the last. A page with fewer items than its limit, or none, "
        "has a next one where few match and it was not looked further."
    )


class Trace(Answer):
    """One operation and everything that it caused or that carries its request id, by time."""

    operation: Operation
    calls: list[Call]


class Traces(Answer):
    """Operations of one request id; a global request id may have several."""

    items: list[Trace]


@router.get("/operations", response_model=OperationPage)
def read_operations(
    site: AskedSite, reader: AskedReader, range: AskedRange, wanted: AskedFilter,
    after: AskedPlace, limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> dict[str, Any]:  # fmt: skip
    """A page of them; follow `next` for the others."""
    found = listed(reader, range, wanted, limit=limit, after=after, stuck_after_s=site.settings.stuck_after_s)
    # The next page is of the same times, whatever is stored meanwhile.
    further = {**range.fixed(), **wanted.query(), "limit": limit, "after": written(found.next)}
    return {
        "range": Range.of(range),
        "items": [view.as_dict() for view in found.rows],
        "next": address("/api/v1/operations", further) if found.next else None,
    }


@router.get("/operations/{request_id:path}", response_model=Traces)
def read_operation(site: AskedSite, reader: AskedReader, request_id: str) -> dict[str, Any]:
    """By its request id or its global request id."""
    asked = Operations(reader, stuck_after_s=site.settings.stuck_after_s)
    views = list(asked.find(OperationFilter(request_id=request_id)))
    if not views:
        raise NotFound("no operation has this request id: GET /api/v1/operations lists them")
    calls = Calls(reader)
    return {
        "items": [
            {"operation": view.as_dict(), "calls": [call.as_dict() for call in calls.of_operation(view.ids)]}
            for view in views
        ]
    }
