"""Runs of the emulator."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from rpcscope.query.runs import compared, summary
from rpcscope_web.api.models import Answer, Gap
from rpcscope_web.problems import RESPONSES, NotFound
from rpcscope_web.site import AskedReader

router = APIRouter(prefix="/api/v1", tags=["runs"], responses=RESPONSES)
_MOST = 200


class RunSummary(Answer):
    """One run of a flow, or of a replay."""

    id: int
    label: str | None
    what: str = Field(description="The flow's name, or `replay`.")
    vhost: str = Field(description="It made this one, and ran in it alone.")
    state: str = Field(description="running, done, failed or interrupted.")
    started_at: str | None
    heard_at: str | None = Field(description="When it last said how it fares.")
    ended_at: str | None


class RunList(Answer):
    """The newest first."""

    items: list[RunSummary]
    next: int | None = Field(description="`before` of the next page.")


class Amount(Answer):
    """Operations of one kind; RPCs, messages and bytes by cause."""

    operations: int
    done: int
    failed: int
    rpcs: int
    messages: int
    bytes: int
    p50_s: float | None
    p95_s: float | None


class KindBeside(Answer):
    """A kind as it was planned, and as it was recorded."""

    kind: str
    expected: Amount | None
    measured: Amount | None


class MethodAmount(Answer):
    """RPCs of one method."""

    rpcs: int
    messages: int
    bytes: int


class MethodBeside(Answer):
    """The same of a method."""

    method: str
    expected: MethodAmount | None
    measured: MethodAmount | None


class Run(RunSummary):
    """Expected beside measured."""

    asked: dict[str, Any] = Field(description="Parameters, fleet, speed, where the templates come from.")
    expected: dict[str, Any] = Field(description="The plan as a whole; s of the wall's clock.")
    outcome: dict[str, Any] = Field(description="What the emulation says of itself.")
    recordings: list[int]
    kinds: list[KindBeside]
    methods: list[MethodBeside] | None = Field(description="null: too many messages to count them here.")
    background_operations: int
    background_messages: int
    gaps: list[Gap]


@router.get("/runs", response_model=RunList)
def read_runs(
    reader: AskedReader,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 50,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="Runs before this one.")] = None,
) -> dict[str, Any]:
    """Runs of the emulator."""
    found = reader.runs(limit + 1, before)
    more = len(found) > limit
    return {"items": [summary(run) for run in found[:limit]], "next": found[limit - 1].id if more else None}


@router.get("/runs/{run_id}", response_model=Run)
def read_run(reader: AskedReader, run_id: int) -> dict[str, Any]:
    """One of them, with what was recorded of it."""
    run = reader.run(run_id) if 0 < run_id < 2**62 else None
    if run is None:
        raise NotFound("there is no run of this number: `/api/v1/runs` lists them")
    return compared(reader, run).as_dict()
