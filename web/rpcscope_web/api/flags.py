"""Red flags of a time."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field

from rpcscope.doctor import CHECKS
from rpcscope.query.times import iso
from rpcscope_web.api.models import Answer, Range
from rpcscope_web.flagged import AskedLevel, checked_level, flagged
from rpcscope_web.problems import RESPONSES
from rpcscope_web.site import AskedRange, AskedReader, AskedSite

router = APIRouter(prefix="/api/v1", tags=["flags"], responses=RESPONSES)


class Evidence(Answer):
    """One row: who or what, and what was seen of it."""

    what: str
    said: str
    subject: Literal["queue", "operation", "method", "host", "instance", "tap"] | None
    key: str | None = Field(description="Of the subject: a request id, the name of a queue, of a host.")


class Flag(Answer):
    """One red flag that is up."""

    name: str
    level: Literal["bad", "warn", "info"]
    title: str
    evidence: list[Evidence]
    more: int = Field(description="Rows of evidence that are left out.")
    why: str
    todo: str
    now: bool = Field(description="As of the end of the time; else over the time.")


class Flags(Answer):
    """The flags that are up, the worst first."""

    range: Range
    checks: int = Field(description="How many were looked for.")
    calls_since: str | None = Field(description="Only calls since then were looked at; null: all of the time.")
    polled_at: str | None = Field(description="The newest look at queues in the time; null: there was none.")
    flags: list[Flag]


@router.get("/flags", response_model=Flags)
def read_flags(site: AskedSite, reader: AskedReader, range: AskedRange, level: AskedLevel = "") -> dict[str, Any]:
    """What is wrong or about to be, with evidence, why it matters and what to do."""
    wanted = checked_level(level)
    found = flagged(site, reader, range)
    return {
        "range": Range.of(range),
        "checks": len(CHECKS),
        "calls_since": iso(found.facts.signs.since_ns),
        "polled_at": iso(found.facts.polled_ns),
        "flags": [flag.as_dict() for flag in found.of(wanted)],
    }
