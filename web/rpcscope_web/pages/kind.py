"""Kinds of operation, and one of them: what it costs, its usual call tree, the odd ones out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from rpcscope.model import Status
from rpcscope.query.gaps import gaps_touching
from rpcscope.query.kind import kind_shape
from rpcscope.query.kind_sample import kind_sample
from rpcscope.query.kind_words import in_words
from rpcscope.query.oddity import RARE
from rpcscope.query.overview import overview
from rpcscope.query.slowness import FEWEST
from rpcscope_web.oddities import bar, nth, until, why
from rpcscope_web.render import page
from rpcscope_web.site import AskedRange, AskedReader, AskedSite
from rpcscope_web.trace.names import cut, label, method

ODD_SHOWN = 25
STEPS_SHOWN = 200
router = APIRouter(include_in_schema=False)
AskedKind = Annotated[str, Query(max_length=10_000, description="A kind of operation: create, live-migration, ...")]


@router.get("/kinds")
def show(
    request: Request, site: AskedSite, reader: AskedReader, range: AskedRange, kind: AskedKind = "",
    conditions: Annotated[str, Query(max_length=10_000)] = "",
) -> HTMLResponse:  # fmt: skip
    """All kinds, or the one that is asked for."""
    stuck_after_s = site.settings.stuck_after_s
    gaps = gaps_touching(reader, range.from_ns, range.to_ns)
    if not kind:
        found = overview(reader, range.from_ns, range.to_ns, stuck_after_s=stuck_after_s)
        return page(request, "kinds.html", range=range, overview=found, gaps=gaps, in_words=in_words)
    sample = kind_sample(reader, kind, range.from_ns, range.to_ns, stuck_after_s=stuck_after_s)
    shape = kind_shape(reader, kind, sample.under(conditions) if conditions else sample)
    return page(
        request, "kind.html", range=range, shape=shape, kind=kind, gaps=gaps, title=in_words(kind),
        usual=[one for one in shape.tree.calls if one.share > RARE][:STEPS_SHOWN],
        rare=[one for one in shape.tree.calls if one.share <= RARE][:STEPS_SHOWN],
        is_done=any(view.status is Status.DONE for view in shape.sample.model),
        odd=shape.odd[:ODD_SHOWN], conditions=conditions, fewest=FEWEST,
        bar=bar, until=until, nth=nth, why=why, cut=cut, label=label, method=method,
    )  # fmt: skip
