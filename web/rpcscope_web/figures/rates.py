"""Messages a second by the service that published them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from rpcscope.query.rates import Rates, rates
from rpcscope.query.times import SECOND, iso
from rpcscope_web.figures.figure import Figure, colour, figure
from rpcscope_web.site import AskedRange, AskedReader

router = APIRouter(prefix="/api/v1/figures", tags=["figures"])


@router.get("/rates", response_model=Figure)
def read_rates(reader: AskedReader, range: AskedRange) -> dict[str, Any]:
    """Stacked bars, a colour for each service."""
    return draw(rates(reader, range.from_ns, range.to_ns))


def draw(found: Rates) -> dict[str, Any]:
    """The figure: a point for each step, at its middle."""
    times = [iso(found.from_ns + found.step_ns * step + found.step_ns // 2) for step in range(found.steps)]
    traces = [
        {
            "type": "bar", "name": series.service, "x": times, "marker": {"color": colour(place), "line": {"width": 0}},
            "y": [round(count * SECOND / found.step_ns, 4) for count in series.counts],
            "hovertemplate": "%{y:.2f} a second<extra>%{fullData.name}</extra>",
        }
        for place, series in enumerate(found.series)
    ]  # fmt: skip
    # Of so many calls no more can be read: what the bars are made of stands beside them.
    said = "" if found.share >= 1 else f", estimated from {max(0.1, found.share * 100):.1f} % of the time"
    return figure(traces, y=f"messages a second{said}", barmode="stack", bargap=0)
