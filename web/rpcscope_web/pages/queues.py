"""Queues of all brokers by family: how deep, who consumes them, what came and went."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from rpcscope.query.abandoned import abandoned
from rpcscope.query.alarms import alarms, distinct
from rpcscope.query.churn import churn_marks
from rpcscope.query.queues import QueueRow, Queues, is_family, queues, share
from rpcscope.query.routes import routes
from rpcscope.query.times import SECOND
from rpcscope.query.words import duration
from rpcscope_web.api.queue import Vhost
from rpcscope_web.figures.rows import cut
from rpcscope_web.ranges import TimeRange
from rpcscope_web.render import address, page, segment
from rpcscope_web.route_picture import State, picture
from rpcscope_web.site import AskedRange, AskedReader

CHURN_SHOWN = 20
_LATE_S = 30
router = APIRouter(include_in_schema=False)
Show = Annotated[Literal["", "growing", "consumerless"], Query(description="Only such families.")]


@router.get("/queues")
def show(request: Request, reader: AskedReader, range: AskedRange, show: Show = "", vhost: Vhost = "") -> HTMLResponse:
    """As of the newest look in the time; charts over the time."""
    depth = queues(reader, until_ns=range.to_ns)
    rows = [row for row in depth.rows if vhost in ("", row.vhost)]
    marks = churn_marks(reader, range.from_ns, range.to_ns, vhost=vhost)
    ways = routes(reader, vhost=vhost)
    nodes = distinct(depth.nodes)
    return page(
        request, "queues.html", range=range, depth=depth, show=show, vhost=vhost, share=share, is_family=is_family,
        rows=[row for row in rows if is_shown(row, show)],
        counts={one: sum(is_shown(row, one) for row in rows) for one in ("", "growing", "consumerless")},
        nodes=nodes, alarms=list(dict.fromkeys(said for node in nodes for said in alarms(node))),
        silent=silent(depth, range), abandoned=abandoned(reader, depth.polls, vhost=vhost),
        marks=marks[: -CHURN_SHOWN - 1 : -1], more_marks=max(0, len(marks) - CHURN_SHOWN), routes=ways, picture=picture,
        states=states_of(rows), cut=cut, queue_address=addresses(range, vhost),
    )  # fmt: skip


def is_shown(row: QueueRow, show: str) -> bool:
    """Whether a filter keeps a row."""
    return row.is_growing if show == "growing" else row.consumerless > 0 if show == "consumerless" else True


def addresses(range: TimeRange, vhost: str) -> Callable[[str], str]:
    """Where the page of a queue or family is, with the same time."""
    return lambda name: address(f"/queues/{segment(name)}", {**range.query(), "vhost": vhost})


def states_of(rows: Iterable[QueueRow]) -> dict[str, State]:
    """What a picture says of queues and families."""
    return {row.name: State(ready=row.ready, consumerless=row.consumerless) for row in rows}


def silent(depth: Queues, range: TimeRange) -> list[str]:
    """Vhosts whose queues nobody looks at any more, while a recorder runs: sentences."""
    if not range.now.recording:
        return []
    return [
        f"The queues of vhost {poll.vhost} were last looked at {duration(range.to_ns - poll.at_ns)} before the end of "
        "this time: what came after is not known"
        for poll in depth.polls
        if range.to_ns - poll.at_ns > 2 * poll.interval_ns + poll.took_ns + _LATE_S * SECOND
    ]
