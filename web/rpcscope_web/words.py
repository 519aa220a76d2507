"""Numbers, sizes, times and names as templates write them. What is unknown is never written as zero."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from markupsafe import Markup

from rpcscope.query.cost import Spread
from rpcscope.query.gap_words import blind
from rpcscope.query.times import MS, iso
from rpcscope.query.words import duration

UNKNOWN = Markup('<span class="unknown" title="not known">?</span>')
LONGEST = 300
"""Characters of a name that are shown."""
_SPACE = "\N{NO-BREAK SPACE}"


def number(value: float | None, digits: int = 0) -> str:
    """With its thousands apart."""
    return UNKNOWN if value is None else f"{value:,.{digits}f}"


def size(count: float | None) -> str:
    """Bytes, in units of 1,000."""
    if count is None:
        return UNKNOWN
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:,.0f}{_SPACE}B" if unit == "B" else f"{count:,.1f}{_SPACE}{unit}"
        count /= 1000
    return f"{count:,.1f}{_SPACE}TB"


def took(milliseconds: float | None) -> str:
    """A duration that is given in milliseconds."""
    if milliseconds is None:
        return UNKNOWN
    if milliseconds < 10:
        return f"{milliseconds:.1f}{_SPACE}ms"
    if milliseconds < 1_000:
        return f"{milliseconds:.0f}{_SPACE}ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.2f}{_SPACE}s"
    return duration(round(milliseconds * MS)).replace(" ", _SPACE)


def lasted(ns: int | None) -> str:
    """A duration that is given in nanoseconds."""
    return UNKNOWN if ns is None else took(ns / MS)


def share(value: float | None) -> str:
    """0 to 1 in per cent."""
    if value is None:
        return UNKNOWN
    return f"{value * 100:.{0 if value in (0, 1) else 1}f}{_SPACE}%"


def rate(value: float | None) -> str:
    """So many a second."""
    return UNKNOWN if value is None else f"{value:,.1f}/s"


def spread(value: Spread) -> Markup:
    """The median, with the 95th percentile where it is another; the maximum on hover."""
    if value.p50 is None:
        return UNKNOWN
    p50, p95, top = (round(part) for part in (value.p50, value.p95 or 0, value.max or 0))
    if p50 == p95 == top:
        return Markup("<span class='spread'>{:,}</span>").format(p50)
    said = f"median {p50:,}, 95th percentile {p95:,}, most {top:,}"
    other = Markup("<small>{:,}</small>").format(p95) if p95 != p50 else ""
    return Markup("<span class='spread' title='{}'>{:,}{}</span>").format(said, p50, other)


def when(ns: int | None, unit: Literal["ms", "s"] = "ms") -> Markup:
    """A moment: UTC as it is served, in the viewer's zone once the page's script has seen it."""
    text = iso(ns)
    if text is None:
        return UNKNOWN
    said = f"{text[:10]} {text[11:23]} UTC"
    shown = said if unit == "ms" else f"{text[:10]} {text[11:19]} UTC"
    return Markup('<time datetime="{}" title="{}" data-when="{}">{}</time>').format(text, said, unit, shown)


def name(text: object) -> Markup:
    """A name from the wire: of bounded length, its direction kept from what is around it."""
    shown = visible(str(text))
    if len(shown) > LONGEST:
        shown = f"{shown[:LONGEST]}…"
    return Markup("<bdi class='name'>{}</bdi>").format(shown)


def ident(text: object) -> Markup:
    """An id: a name that is not broken over lines."""
    return Markup("<bdi class='name id'>{}</bdi>").format(visible(str(text))[:LONGEST])


def short(text: object) -> Markup:
    """The beginning of an id that tells it from its neighbours; all of it on hover."""
    shown = visible(str(text))[:LONGEST]
    return Markup("<bdi class='name id' title='{}'>{}</bdi>").format(shown, shown[:8])


def shortened(text: object) -> Markup:
    """A request id by what tells it from others: `req-` and eight digits of a uuid, or both ends of something else."""
    shown = visible(str(text))
    if _REQUEST.fullmatch(shown):
        return Markup("<bdi class='name id'>{}…</bdi>").format(shown[:12])
    return Markup("<bdi class='name id'>{}</bdi>").format(shown if len(shown) <= 24 else f"{shown[:14]}…{shown[-8:]}")


def visible(text: str) -> str:
    """The text with a mark for every character that is not seen but acts: controls, bidi marks, surrogates."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _ACTING else c for c in text)


_REQUEST = re.compile(r"req-[0-9a-f]{8}-[0-9a-f-]{27}")
_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def plural(count: int, one: str, many: str = "") -> str:
    """`1 gap`, `2 gaps`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


FILTERS = {
    "number": number, "size": size, "took": took, "lasted": lasted, "share": share, "rate": rate, "spread": spread,
    "when": when, "name": name, "ident": ident, "blind": blind, "short": short, "shortened": shortened,
    "visible": visible,
}  # fmt: skip
GLOBALS = {"plural": plural}
