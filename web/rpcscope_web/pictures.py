"""Small pictures within a line of text, as SVG that needs neither script nor inline style."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

_WIDTH, _HEIGHT = 96, 20
_BAR = 64


def spark(counts: Sequence[float], label: str) -> Markup:
    """A line of values from zero up, evenly spaced; read aloud as the label and the values."""
    top, last = max(counts, default=0) or 1, max(1, len(counts) - 1)
    points = " ".join(f"{_WIDTH * i / last:.1f},{_HEIGHT - 2 - 16 * n / top:.1f}" for i, n in enumerate(counts))
    said = f"{label}: {', '.join(f'{n:g}' for n in counts)}"
    return Markup(
        '<svg class="spark" viewBox="-1 0 98 20" width="98" height="20" role="img" aria-label="{0}">'
        '<title>{0}</title><polygon points="0,18 {1} 96,18"/><polyline points="{1}"/></svg>'
    ).format(said, points)


def split(parts: dict[str, float | None]) -> Markup:
    """A bar of parts, each in the colour of its class: `{"call": 12, "cast": 2}`. Nothing of nothing."""
    known = {name: value for name, value in parts.items() if value}
    whole = sum(known.values())
    if not whole:
        return Markup("")
    bars, x = [], 0.0
    for name, value in known.items():
        width = _BAR * value / whole
        bars.append(Markup('<rect class="fill-{}" x="{:.2f}" width="{:.2f}" height="8"/>').format(name, x, width))
        x += width
    said = ", ".join(f"{value:g} {name}" for name, value in known.items())
    return Markup(
        '<svg class="split" viewBox="0 0 64 8" width="64" height="8" role="img" aria-label="{0}">'
        "<title>{0}</title>{1}</svg>"
    ).format(said, Markup("").join(bars))


GLOBALS = {"spark": spark, "split": split}
