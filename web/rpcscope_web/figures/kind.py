"""How what operations of one kind cost is spread: a histogram of each number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from rpcscope.query.bins import Bin, histogram
from rpcscope.query.kind_sample import kind_sample
from rpcscope.query.operations import OperationView
from rpcscope.query.times import MS
from rpcscope_web.figures.figure import Figure, figure
from rpcscope_web.site import AskedRange, AskedReader, AskedSite
from rpcscope_web.words import plural, size, took

router = APIRouter(prefix="/api/v1/figures", tags=["figures"])
_TICKS, _HEIGHT, _NARROWEST = 3, 170, 9
"""Words below an axis, pixels, bins that there is room for."""
What = Literal["rpcs", "messages", "bytes", "duration"]
Written = Callable[[float], str]

_VALUES: Mapping[str, Callable[[OperationView], float | None]] = {
    "rpcs": lambda view: view.whole.by_request.rpcs,
    "messages": lambda view: None if view.requests_only else view.whole.by_request.messages,
    "bytes": lambda view: None if view.requests_only else view.whole.by_request.bytes,
    "duration": lambda view: None if view.duration_ns is None else view.duration_ns / MS,
}
_WRITTEN: Mapping[str, Written] = {
    "rpcs": lambda n: plural(round(n), "RPC"),
    "messages": lambda n: plural(round(n), "message"),
    "bytes": lambda n: str(size(n)),
    "duration": lambda n: str(took(n)),
}
COLOURS: Mapping[str, str] = {"rpcs": "--call", "messages": "--reply", "bytes": "--fanout", "duration": "--cast"}


@router.get("/kind", response_model=Figure)
def read_kind(
    site: AskedSite, reader: AskedReader, range: AskedRange,
    kind: Annotated[str, Query(max_length=10_000)], what: What = "duration",
    conditions: Annotated[str, Query(max_length=10_000)] = "",
) -> dict[str, Any]:  # fmt: skip
    """The newest operations that began in the time and were done, counted by what one cost."""
    sample = kind_sample(reader, kind, range.from_ns, range.to_ns, stuck_after_s=site.settings.stuck_after_s)
    chosen = sample.under(conditions) if conditions else sample
    values = [value for view in chosen.model if (value := _VALUES[what](view)) is not None]
    return draw(histogram(values), what)


def draw(bins: list[Bin], what: What) -> dict[str, Any]:
    """The figure: a bar for each bin, as wide as the others."""
    written = _WRITTEN[what]
    trace = {
        "type": "bar", "x": [place + 0.5 for place in range(len(bins))], "y": [one.count for one in bins], "width": 1,
        "customdata": [_said(one, written) for one in bins],
        "marker": {"color": f"var({COLOURS[what]})", "line": {"width": 1, "color": "var(--raised)"}},
        "hovertemplate": "%{customdata}: %{y}<extra></extra>",
    }  # fmt: skip
    found = figure([trace], y="operations", x_is_time=False, showlegend=False, hovermode="closest", height=_HEIGHT)
    axis = found["layout"]["xaxis"]
    ticks = _ticks(bins, written)
    room = max(0.0, (_NARROWEST - len(bins)) / 2)
    axis |= {"range": [-room, len(bins) + room], "fixedrange": True, "tickangle": 0}
    axis |= {"ticks": "outside", "tickcolor": "var(--line-2)", "zeroline": False}
    axis |= {"tickvals": [at for at, _ in ticks], "ticktext": [text for _, text in ticks]}
    found["layout"]["yaxis"] |= {"fixedrange": True, "tickformat": ",d", "nticks": 4}
    found["layout"]["margin"] |= {"r": 28}
    return found


def _said(one: Bin, written: Written) -> str:
    return written(one.low) if one.low == one.high else f"{written(one.low)} to {written(one.high)}"


def _ticks(bins: list[Bin], written: Written) -> list[tuple[float, str]]:
    """Below the middle of single values, at the edges of others."""
    step = max(1, -(-len(bins) // _TICKS))
    if all(one.low == one.high for one in bins):
        return [(place + 0.5, f"{one.low:,.0f}") for place, one in enumerate(bins) if place % step == 0]
    edges = [*(one.low for one in bins), bins[-1].high]
    return [(place, _tick(value, written)) for place, value in enumerate(edges) if place % step == 0]


def _tick(value: float, written: Written) -> str:
    return written(value).partition(" ")[0] if written in (_WRITTEN["rpcs"], _WRITTEN["messages"]) else written(value)
