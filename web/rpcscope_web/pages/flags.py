"""Red flags: what is wrong or about to be, with evidence, why it matters and what to do."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from rpcscope.doctor import CHECKS
from rpcscope_web.flagged import LEVELS, AskedLevel, checked_level, coded, flagged, path_of
from rpcscope_web.render import page
from rpcscope_web.site import AskedRange, AskedReader, AskedSite
from rpcscope_web.trace.names import label

router = APIRouter(include_in_schema=False)


@router.get("/flags")
def show(
    request: Request, site: AskedSite, reader: AskedReader, range: AskedRange, level: AskedLevel = ""
) -> HTMLResponse:
    """The worst first."""
    wanted = checked_level(level)
    found = flagged(site, reader, range)
    return page(
        request, "flags.html", range=range, gaps=found.facts.losses, found=found, flags=found.of(wanted),
        level=wanted, levels=LEVELS, checks=len(CHECKS), path_of=path_of, label=label, coded=coded,
        is_empty=not reader.recordings(),
    )  # fmt: skip
