"""One queue, or one family of queues: its depth, what is in it, the way to it and from it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse

from rpcscope.families import family
from rpcscope.query.churn import churn_marks
from rpcscope.query.queues import Queues, beginning, is_family, queues, share
from rpcscope.query.routes import routes
from rpcscope.query.waiting import Waiting, waiting
from rpcscope.query.waiting_notes import notes
from rpcscope.store.protocol import Reader
from rpcscope_web.api.queue import Vhost
from rpcscope_web.figures.rows import cut
from rpcscope_web.pages.queues import CHURN_SHOWN, Show, addresses, is_shown, silent, states_of
from rpcscope_web.problems import NotFound
from rpcscope_web.ranges import TimeRange
from rpcscope_web.render import page
from rpcscope_web.route_picture import picture
from rpcscope_web.site import AskedRange, AskedReader

PAGE = 100
router = APIRouter(include_in_schema=False)
Name = Annotated[str, Path(min_length=1, max_length=255)]


@router.get("/queues/{name:path}")
def show(
    request: Request, reader: AskedReader, range: AskedRange, name: Name, show: Show = "", vhost: Vhost = "",
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> HTMLResponse:  # fmt: skip
    """As of the newest look in the time; what is in it as of the last event. Raises NotFound."""
    depth = queues(reader, name, until_ns=range.to_ns)
    rows = [row for row in depth.rows if vhost in ("", row.vhost)]
    ways = routes(reader, name, vhost=vhost)
    inside = _inside(reader, range, name, vhost, depth)
    marks = churn_marks(reader, range.from_ns, range.to_ns, name, vhost=vhost)
    if not (rows or ways or marks or any(one.has_any for one in inside) or _was_seen(reader, range, name, vhost)):
        raise NotFound("no queue and no family of this name was seen in this time: look at all queues")
    whole = [row for row in queues(reader, until_ns=range.to_ns).rows if row.name == name] if is_family(name) else []
    shown = [row for row in rows if is_shown(row, show)]
    return page(
        request, "queue.html", range=range, name=name, vhost=vhost, show=show, depth=depth, offset=offset, size=PAGE,
        is_family=is_family(name), family=family(name), rows=shown[offset : offset + PAGE], found=len(shown),
        facts=[row for row in whole if vhost in ("", row.vhost)] or ([] if is_family(name) else rows),
        counts={one: sum(is_shown(row, one) for row in rows) for one in ("", "growing", "consumerless")},
        share=share, silent=silent(depth, range), inside=[(one, notes(one)) for one in inside],
        marks=marks[: -CHURN_SHOWN - 1 : -1], more_marks=max(0, len(marks) - CHURN_SHOWN), routes=ways,
        picture=picture, states=states_of([*rows, *whole]), cut=cut, queue_address=addresses(range, vhost),
    )  # fmt: skip


def _inside(reader: Reader, range: TimeRange, name: str, vhost: str, depth: Queues) -> list[Waiting]:
    """A chosen time is over, and what is in a queue is only told as of the last event: then nothing."""
    if not range.last:
        return []
    return [one for one in waiting(reader, name, sampled=depth) if vhost in ("", one.watch.vhost)]


def _was_seen(reader: Reader, range: TimeRange, name: str, vhost: str) -> bool:
    """At some time in the range, though not at its end."""
    if is_family(name):
        steps = reader.family_steps(range.from_ns, range.to_ns, range.steps(1), [name])
    else:
        steps = reader.queue_steps(range.from_ns, range.to_ns, range.steps(1), [beginning(name)])
    return any(vhost in ("", step.vhost) for step in steps)
