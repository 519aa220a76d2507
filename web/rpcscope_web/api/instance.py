"""All that ever touched one server."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from rpcscope.query.instance import MOST, instance_view
from rpcscope_web.api.models import Answer, Gap, Operation, Range
from rpcscope_web.problems import RESPONSES
from rpcscope_web.site import AskedLifetime, AskedReader, AskedSite

router = APIRouter(prefix="/api/v1", tags=["instances"], responses=RESPONSES)


class Deed(Answer):
    """An operation that touched the server."""

    operation: Operation
    names_it: bool = Field(description="A message of it names the server; else a request id links it to one that does.")
    link: str | None = Field(description="The request id or global request id that it shares with others of the list.")


class Instance(Answer):
    """One server; all time unless another is asked for."""

    range: Range
    instance: str
    items: list[Deed] = Field(description="The oldest first.")
    hosts: list[str]
    gaps: list[Gap]
    cut: bool = Field(description="There are older ones.")


@router.get("/instances/{instance:path}", response_model=Instance)
def read_instance(
    site: AskedSite, reader: AskedReader, range: AskedLifetime, instance: str,
    limit: Annotated[int, Query(ge=1, le=MOST, description="Operations that name it, the newest.")] = MOST,
) -> dict[str, Any]:  # fmt: skip
    """Its operations in nova, neutron and cinder."""
    found = instance_view(
        reader, instance, range.from_ns, range.to_ns, most=limit, stuck_after_s=site.settings.stuck_after_s
    )
    return {"range": Range.of(range), **found.as_dict()}
