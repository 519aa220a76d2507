"""Charts above each other on one axis of time."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rpcscope.query.times import iso
from rpcscope_web.words import visible

_GAP = 14
_ABOVE, _BELOW = 8, 34
_LEGEND_LINE = 22
_WIDEST_LABEL = 42


@dataclass(frozen=True, slots=True)
class Row:
    """One chart: the title of its axis, with the unit, and its height in pixels."""

    title: str
    height: int


@dataclass(frozen=True, slots=True)
class Stack:
    """Charts from the top to the bottom."""

    rows: Sequence[Row]

    def axis(self, row: Row) -> str:
        """The name of its y axis in a trace."""
        place = list(self.rows).index(row)
        return f"y{place + 1}" if place else "y"

    def layout(self, from_ns: int, to_ns: int, series: int) -> dict[str, Any]:
        """The layout over that of the house: the same times and margins in every stack, so that they line up."""
        legend = _LEGEND_LINE * (1 + series // 3)
        inner = sum(row.height for row in self.rows) + _GAP * (len(self.rows) - 1)
        line = {"gridcolor": "var(--line)", "linecolor": "var(--line)", "zerolinecolor": "var(--line)"}
        axes: dict[str, Any] = {}
        top = inner
        for place, row in enumerate(self.rows):
            title = {"text": row.title, "standoff": 6, "font": {"size": 11}}
            axes[f"yaxis{place + 1}" if place else "yaxis"] = {
                **line, "title": title, "rangemode": "tozero", "nticks": 4, "fixedrange": True,
                "domain": [max(0.0, (top - row.height) / inner), top / inner],
            }  # fmt: skip
            top -= row.height + _GAP
        last = f"y{len(self.rows)}" if len(self.rows) > 1 else "y"
        return {
            **axes,
            "xaxis": {
                **line, "type": "date", "showgrid": False, "anchor": last, "range": [iso(from_ns or 1_000), iso(to_ns)],
            },
            "height": inner + _ABOVE + _BELOW + legend, "hovermode": "closest", "uirevision": "kept",
            "margin": {"l": 88, "r": 12, "t": _ABOVE, "b": _BELOW + legend},
            "legend": {"orientation": "h", "y": -_BELOW / inner, "yanchor": "top", "x": 0, "traceorder": "normal"},
        }  # fmt: skip


def label(text: str) -> str:
    """A name for plotly, which reads markup: all of it is text, and it is cut in the middle."""
    return html.escape(cut(visible(text), _WIDEST_LABEL), quote=False)


def cut(text: str, most: int) -> str:
    """The beginning and the end of a text that is too long."""
    if len(text) <= most:
        return text
    head = (most - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"
