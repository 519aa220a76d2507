"""What each kind of operation costs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from rpcscope.query.cost import conditions
from rpcscope.query.gaps import gaps_touching
from rpcscope.query.overview import overview
from rpcscope.query.times import SECOND
from rpcscope_web.api.models import Answer, Cost, Gap, Range
from rpcscope_web.problems import RESPONSES
from rpcscope_web.site import AskedRange, AskedReader, AskedSite

router = APIRouter(prefix="/api/v1", tags=["overview"], responses=RESPONSES)


class Kind(Answer):
    """One kind of operation in the time."""

    kind: str
    background: bool
    started: int
    done: int
    failed: int
    running: int
    stuck: int
    unknown: int
    error_share: float | None
    trend: list[int]
    cost: Cost
    sampled: int | None = Field(description="`cost` is of so many of the newest; null: of all.")


class Overview(Answer):
    """All kinds, the most frequent first."""

    range: Range
    step_s: float
    kinds: list[Kind]
    background: list[Kind]
    gaps: list[Gap]
    conditions: list[str]


@router.get("/overview", response_model=Overview)
def read_overview(site: AskedSite, reader: AskedReader, range: AskedRange) -> dict[str, Any]:
    """A row for each kind of operation: how often, how many RPCs, how long, how often it fails."""
    found = overview(reader, range.from_ns, range.to_ns, stuck_after_s=site.settings.stuck_after_s)
    return {
        "range": Range.of(range),
        "step_s": found.step_ns / SECOND,
        "kinds": [row.as_dict() for row in found.rows],
        "background": [row.as_dict() for row in found.background],
        "gaps": [one.as_dict() for one in gaps_touching(reader, range.from_ns, range.to_ns)],
        "conditions": conditions(reader),
    }
