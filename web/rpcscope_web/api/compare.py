"""Two sides of what is stored, compared."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from rpcscope.errors import UsageError
from rpcscope_web.api.models import Answer, Gap, Range
from rpcscope_web.problems import RESPONSES
from rpcscope_web.sides import AskedSides, compared
from rpcscope_web.site import AskedLifetime, AskedReader

router = APIRouter(prefix="/api/v1", tags=["compare"], responses=RESPONSES)


class Side(Answer):
    """What is compared."""

    name: str
    labels: list[str]
    conditions: list[str]
    operations: int
    gaps: list[Gap]


class Numbers(Answer):
    """Of the operations of one side; times in nanoseconds."""

    operations: int
    mean: float
    p50: float
    p95: float
    min: float
    max: float


class Examples(Answer):
    """Request ids of operations that show it."""

    a: list[str]
    b: list[str]


class Finding(Answer):
    """One difference."""

    kind: str
    method: str | None = Field(description="null: of the operation as a whole.")
    service: str | None
    sent_as: str | None
    measure: str
    unit: str
    change: str
    a: Numbers
    b: Numbers
    test: str
    p: float | None = Field(description="null: without exception, so without a test.")
    corrected_p: float | None
    probability_larger: float
    examples: Examples


class Untold(Answer):
    """What can not be told of a kind."""

    kind: str
    why: str
    nothing_compared: bool
    hints: list[Finding]


class Comparison(Answer):
    """What became of A in B."""

    range: Range
    equal: bool
    a: Side
    b: Side
    findings: list[Finding]
    untold: list[Untold]


@router.get("/compare", response_model=Comparison)
def read_comparison(reader: AskedReader, range: AskedLifetime, wanted: AskedSides) -> dict[str, Any]:
    """Differences per kind of operation and method, each with its test, of the newest operations of both sides."""
    if not wanted.is_chosen:
        raise UsageError("name two sides: `a` and `b` are all, recording:ID or label:KEY=VALUE")
    return {"range": Range.of(range), **compared(reader, range, wanted).as_dict()}
