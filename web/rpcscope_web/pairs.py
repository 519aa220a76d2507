"""Two numbers as two bars, one above the other."""

from __future__ import annotations

from markupsafe import Markup

_WIDTH = 96


def bars(a: float, b: float, label: str) -> Markup:
    """A above, B below, on one scale; read aloud as the label."""
    top = max(a, b) or 1
    return Markup(
        '<svg class="pair" viewBox="0 0 96 18" width="96" height="18" role="img" aria-label="{0}"><title>{0}</title>'
        '<rect class="a" y="1" width="{1:.1f}" height="7" rx="1"/>'
        '<rect class="b" y="10" width="{2:.1f}" height="7" rx="1"/></svg>'
    ).format(label, _WIDTH * a / top, _WIDTH * b / top)
