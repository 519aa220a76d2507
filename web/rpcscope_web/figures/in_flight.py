"""Calls in hand over a time: which process holds how many, or in which queue they lie."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from rpcscope.query.in_flight_over import in_flight_over
from rpcscope.query.queues import is_of
from rpcscope.query.steps import Steps, peak, thinned
from rpcscope.query.times import iso
from rpcscope.query.work import Work
from rpcscope_web.api.queue import MaybeName, Vhost
from rpcscope_web.figures.figure import Figure, colour, figure
from rpcscope_web.figures.rows import Row, Stack, label
from rpcscope_web.site import AskedRange, AskedReader

router = APIRouter(prefix="/api/v1/figures", tags=["figures"])
SHOWN = 8
POINTS = 300
ROW = Row("calls in hand", 150)


@router.get("/in_flight", response_model=Figure)
def read_in_flight(reader: AskedReader, range: AskedRange, name: MaybeName = "", vhost: Vhost = "") -> dict[str, Any]:
    """The most loaded processes; of a queue or a family those that consume it."""
    found = in_flight_over(reader, range.from_ns, range.to_ns, with_depth=False)
    rows = [row for row in found.rows if _is_wanted(row, name, vhost)][:SHOWN]
    return draw(rows, found.from_ns, found.to_ns)


def draw(rows: list[Work], from_ns: int, to_ns: int) -> dict[str, Any]:
    """The figure, on the axis of that of the queues."""
    if not rows:
        return figure([], y="")
    stack = Stack([ROW])
    return figure(
        [_trace(row, place, from_ns, to_ns) for place, row in enumerate(rows)], y="",
        **stack.layout(from_ns, to_ns, len(rows)),
    )  # fmt: skip


def _is_wanted(row: Work, name: str, vhost: str) -> bool:
    if vhost and row.vhost != vhost:
        return False
    return not name or any(is_of(name, queue) for queue in (*row.queues, row.queue) if queue)


def _trace(row: Work, place: int, from_ns: int, to_ns: int) -> dict[str, Any]:
    steps = thinned(_until(row.total, to_ns), from_ns, to_ns, POINTS)
    who = f"{row.process} {row.host}".strip() if row.process else f"nobody: in {row.queue}"
    return {
        "type": "scatter", "mode": "lines", "name": label(who), "x": [iso(at_ns) for at_ns, _ in steps],
        "y": [count for _, count in steps], "connectgaps": False,
        "line": {"shape": "hv", "width": 1.5, "color": colour(place), "dash": "solid" if row.process else "dash"},
        "hovertemplate": f"%{{y:,}} calls, at most {peak(row.total):,}<br>%{{x}}<extra>%{{fullData.name}}</extra>",
    }  # fmt: skip


def _until(steps: Steps, to_ns: int) -> Steps:
    """With what holds at the end."""
    return (*steps, (to_ns, steps[-1][1])) if steps and steps[-1][0] < to_ns else steps
