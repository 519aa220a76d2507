"""What is recorded: by which recorder, how far behind, what it missed, what it costs."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from rpcscope.query.gap_words import WHY
from rpcscope.query.gaps import gaps_touching
from rpcscope.query.status import recorders
from rpcscope.query.words import CAUSES, SEES
from rpcscope_web.render import page
from rpcscope_web.site import AskedRange, AskedReader

_FILES = 50
router = APIRouter(include_in_schema=False)


@router.get("/taps")
def show(request: Request, reader: AskedReader, range: AskedRange) -> HTMLResponse:
    """Recorders, then files."""
    known = reader.recordings()
    files = [info for info in known if info.recording.source == "file"]
    return page(
        request, "taps.html", range=range,
        recorders=recorders(reader, time.time_ns(), clocks=True),
        files=files[::-1][:_FILES],
        more_files=max(0, len(files) - _FILES),
        gaps=gaps_touching(reader, range.from_ns, range.to_ns),
        labels=reader.labels(),
        scopes={info.recording.id: info.recording.scope for info in known},
        sees=SEES, causes=CAUSES, why=WHY,
    )  # fmt: skip
