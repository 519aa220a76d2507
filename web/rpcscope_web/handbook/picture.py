"""The sequence of one operation as a picture of its own: SVG without script, style sheet or font."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from rpcscope.query.trace import Trace
from rpcscope_web.trace.names import cut
from rpcscope_web.trace.sequence import Lane, Line, Sequence, sequence

COLOURS = {"call": "#2b6cb8", "cast": "#a85f08", "fanout": "#8450b8", "reply": "#2a8f86", "failed": "#b3261e"}
_DASHES = {"reply": "3 3", "failed": "3 3", "fanout": "7 3"}
_INK, _DIM, _LINE = "#1a2029", "#4d5766", "#c2c8d2"
_MARGIN, _CHARACTER = 12, 6.6
"""Pixels around it, and of a character."""


def picture(trace: Trace, title: str) -> str:
    """Lifelines side by side, an arrow for each message by time, on white ground."""
    found = sequence(trace.calls)
    parts = [*_frame(found, title), *(_lane(lane, found.height) for lane in found.lanes)]
    parts += [part for line in found.lines for part in _message(line, trace.from_ns)]
    return "\n".join([*map(str, parts), "</svg>", ""])


def _frame(found: Sequence, title: str) -> Iterator[Markup]:
    width, height = found.width + _MARGIN, found.height + _MARGIN
    yield Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img" '
        'font-family="system-ui, Segoe UI, Helvetica, Arial, sans-serif" font-size="12">'
    ).format(width, height)
    yield Markup("<title>{}</title>").format(_text(title, 200))
    yield Markup('<rect width="{}" height="{}" fill="#ffffff"/>').format(width, height)
    heads = Markup("").join(_head(kind) for kind in COLOURS)
    yield Markup("<defs>{}</defs>").format(heads)


def _head(kind: str) -> Markup:
    return Markup(
        '<marker id="{}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L10 5 L0 10 Z" fill="{}"/></marker>'
    ).format(kind, COLOURS[kind])


def _lane(lane: Lane, height: int) -> Markup:
    return Markup(
        '<line x1="{0}" x2="{0}" y1="30" y2="{1}" stroke="{2}"/>'
        '<text x="{0}" y="20" text-anchor="middle" font-weight="600" fill="{3}">{4}</text>'
    ).format(lane.x, height, _LINE, _INK, _text(lane.name, 27))


def _message(line: Line, origin_ns: int) -> Iterator[Markup]:
    yield Markup('<text x="80" y="{}" text-anchor="end" font-size="11" fill="{}">{}</text>').format(
        line.y + 4, _DIM, line.since(origin_ns)
    )
    dashes = Markup(' stroke-dasharray="{}"').format(_DASHES[line.kind]) if line.kind in _DASHES else ""
    drawn = Markup('fill="none" stroke="{0}" stroke-width="1.5" marker-end="url(#{1})"{2}').format(
        COLOURS[line.kind], line.kind, dashes
    )
    if line.to_itself:
        yield Markup('<path d="M{} {} h34 v10 h-34" {}/>').format(line.from_x, line.y - 6, drawn)
    else:
        yield Markup('<line x1="{}" x2="{}" y1="{y}" y2="{y}" {}/>').format(line.from_x, line.to_x, drawn, y=line.y)
    if line.kind != "reply":
        yield _words(line)


def _words(line: Line) -> Markup:
    x, anchor = (line.from_x + 40, "start") if line.to_itself else (line.middle, "middle")
    return Markup(
        '<text x="{}" y="{}" text-anchor="{}" font-size="11.5" fill="{}" stroke="#ffffff" stroke-width="3" '
        'paint-order="stroke">{}</text>'
    ).format(x, line.y + (3 if line.to_itself else -4), anchor, _INK, _text(line.arrow.words, _room(line)))


def _room(line: Line) -> int:
    """Characters between two lifelines."""
    return max(24, int(abs(line.to_x - line.from_x) / _CHARACTER))


def _text(text: str, most: int) -> str:
    """Characters that XML can not have are marked."""
    return cut(text, most).replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
