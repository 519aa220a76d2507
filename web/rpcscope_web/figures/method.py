"""One method through a time: its rate by outcome, its durations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from rpcscope.query.method_over import Step, method_over
from rpcscope.query.times import MS, iso
from rpcscope_web.figures.figure import Figure, figure
from rpcscope_web.site import AskedRange, AskedReader

router = APIRouter(prefix="/api/v1/figures", tags=["figures"])
_PARTS = (
    ("fine", "not failed", "var(--series-1)"),
    ("expected", "failed as expected", "var(--series-8)"),
    ("failed", "failed", "var(--error)"),
    ("timed_out", "timed out", "var(--warn)"),
)
_LINES = (("p50", "median", "var(--series-1)"), ("p95", "95th percentile", "var(--series-2)"))


@router.get("/method", response_model=Figure)
def read_method(
    reader: AskedReader, range: AskedRange,
    name: Annotated[str, Query(min_length=1, max_length=255, description="The method.")],
    view: Annotated[Literal["rate", "duration"], Query(description="Calls a second, or how long they took.")] = "rate",
) -> dict[str, Any]:  # fmt: skip
    """Bars of the rate by outcome, or lines of percentiles."""
    steps = method_over(reader, name, range.from_ns, range.to_ns)
    return rates(steps) if view == "rate" else durations(steps)


def rates(steps: Sequence[Step]) -> dict[str, Any]:
    """Stacked bars, as wide as their steps."""
    traces = [
        {
            "type": "bar", "name": words, "x": _middles(steps), "marker": {"color": colour, "line": {"width": 0}},
            "y": [round(getattr(step, part), 6) for step in steps],
            "width": [(step.to_ns - step.from_ns) / MS for step in steps],
            "hovertemplate": "%{y:.3~f} a second<extra>%{fullData.name}</extra>",
        }
        for part, words, colour in _PARTS
        if part == "fine" or any(getattr(step, part) for step in steps)
    ]  # fmt: skip
    return figure(traces if steps else [], y="calls a second", barmode="stack", bargap=0)


def durations(steps: Sequence[Step]) -> dict[str, Any]:
    """From the publish to the reply; of casts and fanouts the time in the queue. Steps without any are left open."""
    stage, words = ("total", "to the reply") if any(step.total.count for step in steps) else ("wait", "in the queue")
    timed = [step for step in steps if getattr(step, stage).count]
    traces = [
        {
            "type": "scatter", "mode": "lines+markers", "name": f"{said}, {words}", "x": _middles(timed),
            "y": [round(getattr(getattr(step, stage), part) / MS, 3) for step in timed],
            "line": {"color": colour, "width": 1.5}, "marker": {"color": colour, "size": 5},
            "hovertemplate": "%{y:,.1f} ms<extra>%{fullData.name}</extra>",
        }
        for part, said, colour in _LINES
    ]  # fmt: skip
    return figure(traces if timed else [], y="milliseconds")


def _middles(steps: Sequence[Step]) -> list[str | None]:
    return [iso((step.from_ns + step.to_ns) // 2) for step in steps]
