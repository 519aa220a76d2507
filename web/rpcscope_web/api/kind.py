"""One kind of operation: its usual call tree and its odd ones."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Query
from pydantic import Field

from rpcscope.query.gaps import gaps_touching
from rpcscope.query.kind import kind_shape
from rpcscope.query.kind_sample import kind_sample
from rpcscope_web.api.models import Answer, Cost, Gap, Operation, Range, Spread
from rpcscope_web.site import AskedRange, AskedReader, AskedSite

router = APIRouter(prefix="/api/v1", tags=["operations"])
_MOST_ODD = 100


class UsualStep(Answer):
    """One step of the usual call tree. Times in milliseconds."""

    depth: int
    method: str
    role: str
    place: int = Field(description="Among those of its method and role below the same call, from 1.")
    kind: str
    operations: int = Field(description="That have it.")
    share: float
    foreign: int = Field(description="Of them: it carried the request id of another operation.")
    failed: int | None
    begins_ms: Spread
    wait_ms: Spread
    execution_ms: Spread
    reply_wait_ms: Spread
    whole_ms: Spread
    request_bytes: Spread
    reply_bytes: Spread


class UsualTree(Answer):
    """Steps with parents before children."""

    operations: int
    steps: list[UsualStep]


class Reason(Answer):
    """One way in which an operation is not like the others."""

    sort: str = Field(description="stuck, failed, missing, extra, slow or long.")
    method: str | None
    below: str | None
    place: int
    count: int
    call: str | None
    error: str | None
    in_queue: bool
    took_ms: float | None
    usual_ms: float | None


class Odd(Answer):
    """An operation that is not like the others."""

    operation: Operation
    reasons: list[Reason]


class Method(Answer):
    """What one method costs within these operations."""

    method: str
    calls: int
    casts: int
    fanouts: int
    per_operation: float
    messages: int | None
    share: float | None
    bytes: int | None
    failed: int | None
    took_ms: Spread


class KindCost(Cost):
    """With those of the operations that failed."""

    failed: int


class Conditions(Answer):
    """Costs by what was said of the recordings."""

    conditions: str
    cost: KindCost


class Kind(Answer):
    """What the newest operations of a kind in the time are like."""

    range: Range
    kind: str
    looked_at: int = Field(description="The newest operations of the time.")
    all: bool = Field(description="The time has no others.")
    traced: int = Field(description="Of them: whose calls were looked at.")
    cost: KindCost
    tree: UsualTree
    odd: list[Odd] = Field(description="The furthest from the others first; 100 at most.")
    methods: list[Method]
    conditions: list[Conditions]
    gaps: list[Gap]


@router.get("/kind", response_model=Kind)
def read_kind(
    site: AskedSite, reader: AskedReader, range: AskedRange,
    kind: Annotated[str, Query(max_length=10_000)], conditions: Annotated[str, Query(max_length=10_000)] = "",
) -> dict[str, Any]:  # fmt: skip
    """What one kind costs, its usual call tree, the odd ones out, its methods."""
    sample = kind_sample(reader, kind, range.from_ns, range.to_ns, stuck_after_s=site.settings.stuck_after_s)
    found = kind_shape(reader, kind, sample.under(conditions) if conditions else sample).as_dict()
    odd = cast(list[object], found["odd"])
    return {
        **found,
        "odd": odd[:_MOST_ODD],
        "range": Range.of(range),
        "gaps": [one.as_dict() for one in gaps_touching(reader, range.from_ns, range.to_ns)],
    }
