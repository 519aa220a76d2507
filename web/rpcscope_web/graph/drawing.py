"""The placed graph as SVG: classes for the style sheet, links, and numbers on every line."""

from __future__ import annotations

from collections.abc import Callable
from math import log10

from markupsafe import Markup

from rpcscope.query.red import Red
from rpcscope.query.services import Edge, Service
from rpcscope_web.graph.layout import STEEP, WIDTH, Box, Plan, Route
from rpcscope_web.paces import pace
from rpcscope_web.trace.names import cut
from rpcscope_web.words import lasted, number, plural, share

Address = Callable[..., str]
"""Makes an address with the range of the page from a path and parameters."""
_ARROW = 7
_SPACE = "\N{NO-BREAK SPACE}"
_SVG = Markup(
    '<svg class="graph" viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" height="{1:.0f}" role="group"'
    ' aria-label="Graph of services; the tables below say the same">{2}</svg>'
)
_LINE = Markup(
    '<a class="edge{0}" href="{1}" aria-label="{2}"><title>{2}</title><path class="touch" d="{3}"/>'
    '<path class="line" d="{3}" stroke-width="{4:.1f}"/><path class="tip" d="{5}"/></a>'
)
_TEXT = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}" aria-hidden="true">{}</text>')
_WRONG = Markup('<tspan class="wrong">{} errors</tspan>')
_BOX = Markup(
    '<a class="node" href="{0}" aria-label="{1}"><title>{1}</title>'
    '<rect x="{2:.1f}" y="{3:.1f}" width="{4}" height="{5:.1f}" rx="8"/>'
    '<text class="name" x="{6:.1f}" y="{7:.1f}">{8}</text><text x="{6:.1f}" y="{9:.1f}">{10}</text>'
    '<text x="{6:.1f}" y="{11:.1f}">{12}</text></a>'
)


def draw(plan: Plan, href: Address) -> Markup:
    """Lines below, what is written on them above all lines, services. Nothing of no services."""
    if not plan.boxes:
        return Markup("")
    most = max((route.edge.red.per_second for route in plan.routes), default=0.0)
    parts = [_line(route, most, href) for route in plan.routes]
    parts += [_label(route, most) for route in plan.routes]
    parts += [_box(box, href) for box in plan.boxes]
    return _SVG.format(plan.width, plan.height, Markup("").join(parts))


def said(edge: Edge) -> str:
    """An edge in words."""
    red = edge.red
    parts = [f"{edge.sender} to {edge.worker}: {number(red.calls)} RPCs, {pace(red.per_second)}"]
    parts.append(", ".join(f"{number(count)} {kind}s" for kind, count in red.kinds.items()))
    if red.wants_reply:
        parts.append(f"half of the calls within {_plain(red.p50_ns)}, 95 of 100 within {_plain(red.p95_ns)}")
        parts.append(f"errors {_part(red)}")
    return cut("; ".join(parts), 300)


def _plain(ns: int | None) -> str:
    return "?" if ns is None else lasted(ns)


def _line(route: Route, most: float, href: Address) -> Markup:
    edge = route.edge
    return _LINE.format(
        " bad" if edge.red.errors else "",
        href("/methods", sender=edge.sender, service=edge.worker),
        said(edge), _path(route), _width(edge.red.per_second, most), _tip(route),
    )  # fmt: skip


def _label(route: Route, most: float) -> Markup:
    """Where the line begins the rate above it, with errors; durations below it. Beside a bow all below each other."""
    red, (x, y) = route.edge.red, route.ends[0]
    wrong = _WRONG.format(_part(red)) if red.errors else Markup("")
    rate, times = Markup.escape(pace(red.per_second)), Markup.escape(_times(red))
    if route.is_bow:
        return _column(x + 0.75 * _bulge(route) + 8, y + (route.ends[1][1] - y) * 0.2, [rate, times, wrong])
    at, anchor = (x + 12, "start") if route.ends[1][0] > x else (x - 12, "end")
    half = _width(red.per_second, most) / 2
    above = _TEXT.format("label", at, y - half - 3, anchor, rate + ("  " + wrong if wrong else ""))
    return above + (_TEXT.format("label", at, y + half + 11, anchor, times) if times else "")


def _column(x: float, y: float, lines: list[Markup]) -> Markup:
    shown = [line for line in lines if line]
    return Markup("").join(_TEXT.format("label", x, y + 14 * at, "start", line) for at, line in enumerate(shown))


def _times(red: Red) -> str:
    """Median and 95th percentile: `8.0 / 35 ms`; "" of casts and fanouts."""
    if red.p50_ns is None:
        return ""
    p50, p95 = _plain(red.p50_ns), _plain(red.p95_ns)
    (number, *unit), (_, *other) = p50.split(_SPACE), p95.split(_SPACE)
    return f"{number if unit == other and len(unit) == 1 else p50} / {p95}"


def _part(red: Red) -> str:
    return "?" if red.error_share is None else share(red.error_share)


def _width(per_second: float, most: float) -> float:
    """1 to 8 by the logarithm: a hundredth of the most still differs from a thousandth."""
    if per_second <= 0 or most <= 0:
        return 1
    return max(1.0, 8 + 7 * log10(per_second / most) / 3)


def _bulge(route: Route) -> float:
    """How far to the right a bow is pulled; it gets three quarters of the way."""
    return 48 + abs(route.ends[1][1] - route.ends[0][1]) * 0.12


def _path(route: Route) -> str:
    ends = route.ends
    parts = [f"M{ends[0][0]:.1f} {ends[0][1]:.1f}"]
    for place in range(0, len(ends), 2):
        (x1, y1), (x2, y2) = ends[place], ends[place + 1]
        if place:
            parts.append(f"L{x1:.1f} {y1:.1f}")
        x2 = x2 if place + 2 < len(ends) else x2 + (_ARROW if route.is_bow or x2 < x1 else -_ARROW)
        # The further a bow goes, the further out it is, so that one does not lie on another.
        bend = _bulge(route) if route.is_bow else (x2 - x1) * STEEP
        into = x2 + bend if route.is_bow else x2 - bend
        parts.append(f"C{x1 + bend:.1f} {y1:.1f} {into:.1f} {y2:.1f} {x2:.1f} {y2:.1f}")
    return " ".join(parts)


def _tip(route: Route) -> str:
    (x0, _), (x, y) = route.ends[-2], route.ends[-1]
    back = _ARROW + 2 if route.is_bow or x < x0 else -_ARROW - 2
    return f"M{x:.1f} {y:.1f} l{back} -5 v10 z"


def _box(box: Box, href: Address) -> Markup:
    service = box.service
    if service is None:
        return Markup("")
    middle = box.y + box.height / 2
    known = _known(service)
    work = f"gets {pace(service.received.per_second)}" if service.received.calls else "is called by nobody"
    errors = service.received.errors
    words = f"{pace(service.received.per_second)}, {_part(service.received)} errors" if errors else work
    told = cut(f"{service.name}: {known}; {words}; sends {pace(service.sent.per_second)}", 300)
    return _BOX.format(
        href("/services", service=service.name), told, box.x, box.y, WIDTH, box.height, box.x + 12, middle - 14,
        cut(service.name, 20), middle + 5, known, middle + 22, words,
    )  # fmt: skip


def _known(service: Service) -> str:
    if service.processes is None:
        return "processes not known"
    hosts = f" on {plural(service.hosts, 'host')}" if service.hosts else ""
    return f"{plural(service.processes, 'process', 'processes')}{hosts}"
