"""Runs of the emulator, and each of them: what was expected beside what was recorded."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from rpcscope.query.run_words import provenance_note, seconds, shortfalls
from rpcscope.query.runs import EXPECTED, Compared, compared, is_silent
from rpcscope.query.times import SECOND
from rpcscope.store.run_rows import Run
from rpcscope_web.pairs import bars
from rpcscope_web.problems import NotFound
from rpcscope_web.ranges import TimeRange, now_of
from rpcscope_web.render import page
from rpcscope_web.site import AskedLifetime, AskedReader
from rpcscope_web.trace.names import cut, method

SHOWN = 50
TONES = {"running": "", "done": "ok", "failed": "error", "interrupted": "warn"}
_AROUND_NS = 2 * SECOND
"""Shown before and after a run, so that its first and last messages are not on the edge."""
router = APIRouter(include_in_schema=False)
Before = Annotated[int | None, Query(ge=1, le=2**62, description="Runs before this one.")]


@router.get("/runs")
def show(request: Request, reader: AskedReader, range: AskedLifetime, before: Before = None) -> HTMLResponse:
    """All of them, whatever time is chosen: they are few."""
    found = reader.runs(SHOWN + 1, before)
    return page(
        request, "runs.html", range=range, runs=found[:SHOWN], has_more=len(found) > SHOWN, tones=TONES,
        is_silent=lambda run: is_silent(run, range.now.at_ns), took=took, seconds=seconds, note=provenance_note,
        cut=cut,
    )  # fmt: skip


@router.get("/runs/{run_id}")
def show_one(request: Request, reader: AskedReader, run_id: int) -> HTMLResponse:
    """One run; all its links lead to its own time."""
    run = reader.run(run_id) if 0 < run_id < 2**62 else None
    if run is None:
        raise NotFound("there is no run of this number: see the list of runs")
    found = compared(reader, run)
    return page(
        request, "run.html", range=time_of(reader, found), found=found, run=run, gaps=found.gaps, tones=TONES,
        is_silent=is_silent(run, now_of(reader).at_ns), took=took(run), seconds=seconds,
        notes=provenance_note(run.asked), shortfalls=shortfalls(run), bars=bars,
        planned={name: run.expected.get(name) for name in EXPECTED},
        cut=cut, method=method, words=words,
    )  # fmt: skip


def time_of(reader: AskedReader, found: Compared) -> TimeRange:
    """The time of a run, for all its links."""
    return TimeRange(from_ns=found.from_ns - _AROUND_NS, to_ns=found.to_ns + _AROUND_NS, now=now_of(reader))


def took(run: Run) -> float:
    """Seconds from its beginning to its end, or to what it said last."""
    return ((run.ended_ns or run.heard_ns) - run.started_ns) / SECOND


def words(value: object) -> str:
    """A parameter as it is shown."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value in (None, "") else str(value)
