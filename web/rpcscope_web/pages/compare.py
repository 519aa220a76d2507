"""Two sides of what is stored, compared: what is new, gone, more, slower, larger."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from rpcscope.compare import words
from rpcscope.compare.finding import Change, Finding
from rpcscope.compare.measures import Scale
from rpcscope.compare.summary import Summary
from rpcscope.query.gaps import gaps_touching
from rpcscope.query.kind_words import in_words
from rpcscope_web.pairs import bars
from rpcscope_web.render import page
from rpcscope_web.sides import MOST_OPERATIONS, AskedSides, choices, compared
from rpcscope_web.site import AskedLifetime, AskedReader
from rpcscope_web.trace.names import cut, method

DEARER = (Change.ADDED, Change.MORE, Change.SLOWER, Change.LARGER, Change.FAILING)
router = APIRouter(include_in_schema=False)


@router.get("/compare")
def show(request: Request, reader: AskedReader, range: AskedLifetime, wanted: AskedSides) -> HTMLResponse:
    """The choice of two sides, and below it what became of A in B."""
    return page(
        request, "compare.html", range=range, wanted=wanted, choices=choices(reader), most=MOST_OPERATIONS,
        found=compared(reader, range, wanted) if wanted.is_chosen else None,
        gaps=gaps_touching(reader, range.from_ns, range.to_ns),
        words=words, dearer=DEARER, picture=_picture, in_words=in_words, cut=cut, method=method,
    )  # fmt: skip


def _picture(one: Finding) -> Markup:
    said = f"A {words.value(one, one.a)}, B {words.value(one, one.b)}"
    return bars(_length(one, one.a), _length(one, one.b), said)


def _length(one: Finding, side: Summary) -> float:
    return side.mean if one.scale in (Scale.COUNT, Scale.FAILURES) else side.p50
