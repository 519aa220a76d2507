"""What hit one host in a time."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from rpcscope.query.host import host_view
from rpcscope_web.api.models import Answer, Operation, Range
from rpcscope_web.problems import RESPONSES
from rpcscope_web.site import AskedRange, AskedReader, AskedSite

router = APIRouter(prefix="/api/v1", tags=["hosts"], responses=RESPONSES)


class HostProcess(Answer):
    """A process of the host."""

    process: str
    role: str | None
    peer: str | None
    seen_at: str | None
    gone_at: str | None


class HostMethod(Answer):
    """Calls, casts, fanouts and notifications of one method."""

    method: str
    kind: str
    calls: int
    failed: int
    timed_out: int
    server_ms: float | None = Field(description="From the delivery to the reply, the mean of those answered.")
    slowest_ms: float | None
    bytes: int


class Touched(Answer):
    """An operation with calls to or from the host."""

    operation: Operation
    received: int
    sent: int
    first_at: str | None
    last_at: str | None


class Host(Answer):
    """One host in a time."""

    range: Range
    host: str
    processes: list[HostProcess]
    received: list[HostMethod]
    sent: list[HostMethod] | None = Field(description="null while no process is known to be on the host.")
    operations: int = Field(description="That had a call to or from it in the time.")
    touched: list[Touched] = Field(description="The newest of them, the last call first.")
    looked_since: str | None = Field(description="Only calls since then were looked at; null: all of the time.")


@router.get("/hosts/{host:path}", response_model=Host)
def read_host(
    site: AskedSite, reader: AskedReader, range: AskedRange, host: str,
    limit: Annotated[int, Query(ge=1, le=500, description="Operations.")] = 100,
) -> dict[str, Any]:  # fmt: skip
    """Its calls by method, and the operations that they belong to, also those that began earlier."""
    found = host_view(reader, host, range.from_ns, range.to_ns, limit=limit, stuck_after_s=site.settings.stuck_after_s)
    return {"range": Range.of(range), **found.as_dict()}
