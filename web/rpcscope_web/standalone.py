"""One operation as a page that needs nothing else: to send, to attach, to open from a disk."""

from __future__ import annotations

import re
from pathlib import Path

from rpcscope import __version__
from rpcscope.query.kind_words import in_words
from rpcscope.query.trace import Trace
from rpcscope.store.protocol import Reader
from rpcscope_web.pages.operation import told
from rpcscope_web.render import environment
from rpcscope_web.trace.look import look, looks_at_calls

MOST_FACTS = 500
"""Calls whose facts are written in full, some 3 kB each."""
_STYLES = ("colours.css", "house.css", "table.css", "operation.css")
_STATIC = Path(__file__).parent / "static"
_CALL = re.compile(r'<a href="[^"]*" data-call="([^"]*)"')
_OUT = re.compile(r'<a href="/[^"]*"')


def standalone(reader: Reader, trace: Trace, shown: str) -> str:
    """The page: waterfall, tree, sequence, numbers, and the facts of each call. It has no script and asks nobody.

    Args:
        shown: the store, as people know it.
    """
    calls = [view.call.unique_id for view in (*trace.calls, *trace.others)]
    styles = "\n".join((_STATIC / name).read_text(encoding="utf-8") for name in _STYLES)
    filled = environment().get_template("standalone.html").render(
        told(trace) | {
            "standalone": True, "styles": styles, "shown": shown, "rpcscope_version": __version__,
            "looks": {view: look(reader, trace, view) for view in ("", "sequence", "numbers")},
            "facts": looks_at_calls(reader, trace, calls[:MOST_FACTS]),
            "facts_left_out": max(0, len(calls) - MOST_FACTS), "title": in_words(trace.operation.whole.kind),
            "range": None, "view": "", "zoom": "",
        }
    )  # fmt: skip
    return _OUT.sub("<a", _CALL.sub(r'<a href="#facts-\1"', filled))
