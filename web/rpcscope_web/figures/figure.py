"""What every chart has in common. Colours are names of CSS variables: the browser knows the theme."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

COLOURS = 8


class Figure(BaseModel):
    """A plotly figure. A text that is `var(--name)` is replaced by that variable when it is drawn."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]


def colour(place: int) -> str:
    """The colour of a series by its place; after eight they begin anew."""
    return f"var(--series-{place % COLOURS + 1})"


def figure(traces: list[dict[str, Any]], *, y: str, x_is_time: bool = True, **layout: Any) -> dict[str, Any]:
    """Traces with the layout of the house: a title for the y axis with its unit, no decoration."""
    line = {"gridcolor": "var(--line)", "linecolor": "var(--line)", "zerolinecolor": "var(--line)"}
    title = {"text": y, "standoff": 8, "font": {"size": 12}}
    x: dict[str, Any] = {**line, "showgrid": False}
    return {
        "data": traces,
        "layout": {
            "xaxis": {**x, "type": "date"} if x_is_time else x,
            "yaxis": {**line, "title": title, "rangemode": "tozero", "automargin": True},
            "font": {"family": "var(--font)", "size": 12, "color": "var(--ink-2)"},
            "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 48, "r": 8, "t": 8, "b": 32}, "hovermode": "x unified",
            "hoverlabel": {"bgcolor": "var(--raised)", "bordercolor": "var(--line)", "font": {"color": "var(--ink)"}},
            "legend": {"orientation": "h", "y": -0.2, "x": 0, "traceorder": "normal"}, "showlegend": True,
            **layout,
        },
    }  # fmt: skip
