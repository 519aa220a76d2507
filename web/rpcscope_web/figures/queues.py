"""Queues over a time: depth, rates and consumers above each other, and above them what came and went."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fastapi import APIRouter

from rpcscope.query.churn import Mark, churn_marks
from rpcscope.query.depth_over import DepthOver, Line
from rpcscope.query.times import iso
from rpcscope.store.depth_rows import Level
from rpcscope_web.api.queue import MaybeName, Vhost, drawn
from rpcscope_web.figures.figure import COLOURS, Figure, colour, figure
from rpcscope_web.figures.rows import Row, Stack, label
from rpcscope_web.site import AskedRange, AskedReader
from rpcscope_web.words import plural

router = APIRouter(prefix="/api/v1/figures", tags=["figures"])
CHURN = Row("", 60)
DEPTH = Row("messages", 210)
UNACKED = Row("unacked", 80)
CONSUMERS = Row("consumers", 90)
PICKS: dict[Row, Callable[[Level], float | None]] = {
    DEPTH: lambda level: level.depth,
    UNACKED: lambda level: level.unacked,
    Row("published/s", 90): lambda level: level.publish_rate,
    Row("delivered/s", 90): lambda level: level.deliver_rate,
    CONSUMERS: lambda level: level.consumers,
}
"""What is drawn of each line. Depth is ready and unacknowledged messages."""
_NAMED = 5
_LARGEST = 18


@router.get("/queues", response_model=Figure)
def read_queues(reader: AskedReader, range: AskedRange, name: MaybeName = "", vhost: Vhost = "") -> dict[str, Any]:
    """The deepest, step by step; a line ends where it is not known how it went on."""
    return draw(drawn(reader, range, name, vhost), churn_marks(reader, range.from_ns, range.to_ns, name, vhost=vhost))


def draw(found: DepthOver, marks: Sequence[Mark]) -> dict[str, Any]:
    """Rows of which nothing is known are left out; there is nothing at all when no queue was sampled."""
    if not found.lines:
        return figure([], y="")
    known = [row for row in PICKS if _is_told(found.lines, row)]
    stack = Stack(([CHURN] if marks else []) + known)
    traces = [_trace(found, line, place, row, stack) for row in known for place, line in enumerate(found.lines)]
    return figure(
        [*_came_and_went(marks, stack), *traces], y="", **stack.layout(found.from_ns, found.to_ns, len(found.lines))
    )


def _is_told(lines: Sequence[Line], row: Row) -> bool:
    values = [PICKS[row](level) for line in lines for _, level in line.points if level is not None]
    # Services acknowledge before they work, so that mostly there is nothing unacknowledged to draw.
    return any(values) if row is UNACKED else any(value is not None for value in values)


def _trace(found: DepthOver, line: Line, place: int, row: Row, stack: Stack) -> dict[str, Any]:
    pick = PICKS[row]
    first = next(one for one in stack.rows if one is not CHURN)
    name = f"{line.name} ({line.vhost})" if found.vhosts > 1 else line.name
    return {
        "type": "scatter", "mode": "lines", "name": label(name), "legendgroup": str(place), "yaxis": stack.axis(row),
        "x": [iso(at_ns) for at_ns, _ in line.points], "connectgaps": False, "showlegend": row is first,
        "y": [None if level is None else pick(level) for _, level in line.points],
        "line": {"shape": "hv", "width": 1.5, "color": _colour(line, place), "dash": _dash(line, place)},
        "hovertemplate": f"%{{y:,}} {row.title}<br>%{{x}}<extra>%{{fullData.name}}</extra>",
    }  # fmt: skip


def _colour(line: Line, place: int) -> str:
    return "var(--ink-3)" if line.is_sum else colour(place)


def _dash(line: Line, place: int) -> str:
    """After eight the colours begin anew, dashed."""
    return "dot" if line.is_sum else ("solid", "dash")[place // COLOURS % 2]


def _came_and_went(marks: Sequence[Mark], stack: Stack) -> Iterator[dict[str, Any]]:
    for came in (True, False):
        mine = [mark for mark in marks if mark.came is came]
        if mine:
            yield {
                "type": "scatter", "mode": "markers", "name": "came" if came else "went", "showlegend": False,
                "x": [iso(mark.at_ns) for mark in mine], "y": [f"{mark.thing}s" for mark in mine],
                "text": [_said(mark) for mark in mine], "hovertemplate": "%{text}<br>%{x}<extra></extra>",
                "yaxis": stack.axis(CHURN), "cliponaxis": False,
                "marker": {
                    "symbol": "triangle-up" if came else "triangle-down", "size": [_size(mark.count) for mark in mine],
                    "color": "var(--ok)" if came else "var(--error)",
                },
            }  # fmt: skip


def _said(mark: Mark) -> str:
    names = ", ".join(label(queue) for queue in mark.queues[:_NAMED])
    more = f" and {len(mark.queues) - _NAMED:,} more" if len(mark.queues) > _NAMED else ""
    return f"{plural(mark.count, mark.thing)} {'came' if mark.came else 'went'}{': ' if names else ''}{names}{more}"


def _size(count: int) -> int:
    """Ten times as many are three pixels more."""
    return min(_LARGEST, 6 + 3 * len(str(count)))
