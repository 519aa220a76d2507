"""Services and who calls whom."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from rpcscope.query.gaps import gaps_touching
from rpcscope.query.services import services
from rpcscope_web.api.models import Answer, Gap, Range
from rpcscope_web.api.red import Looked, Red
from rpcscope_web.problems import RESPONSES
from rpcscope_web.site import AskedRange, AskedReader

router = APIRouter(prefix="/api/v1", tags=["services"], responses=RESPONSES)


class Service(Answer):
    """All processes of one program."""

    service: str
    layer: int = Field(description="0: nobody calls it; 1: it decides; 2: it works on a host.")
    processes: int | None
    hosts: int | None
    received: Red
    sent: Red


class Edge(Red):
    """What one service asks of another."""

    sender: str = Field(alias="from")
    worker: str = Field(alias="to")
    methods: int


class Graph(Answer):
    """Services and edges, the busiest first."""

    range: Range
    looked: Looked
    services: list[Service]
    edges: list[Edge]
    gaps: list[Gap]


@router.get("/services", response_model=Graph)
def read_services(reader: AskedReader, range: AskedRange) -> dict[str, Any]:
    """Calls, casts and fanouts of a time by who sent them and who took them."""
    found = services(reader, range.from_ns, range.to_ns)
    return {
        "range": Range.of(range),
        "looked": found.looked.as_dict(),
        "services": [one.as_dict() for one in found.services],
        "edges": [one.as_dict() for one in found.edges],
        "gaps": [one.as_dict() for one in gaps_touching(reader, range.from_ns, range.to_ns)],
    }
