"""Which operations a page or an answer of the API lists."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import islice
from typing import Annotated

from fastapi import Depends, Query

from rpcscope.errors import UsageError
from rpcscope.model import Status
from rpcscope.query.operations import Operations, OperationView
from rpcscope.store.protocol import OperationFilter, Reader
from rpcscope_web.ranges import TimeRange

_Text = Annotated[str, Query(max_length=255)]
STATUSES = tuple(status.name.lower() for status in Status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The filters of an address; "" does not filter."""

    kind: str = ""
    instance: str = ""
    host: str = ""
    project: str = ""
    request_id: str = ""
    status: str = ""
    background: str = ""  # 1: timers and start-up too

    def query(self) -> dict[str, str]:
        """The parameters of a link with the same filters."""
        return {name: value for name, value in asdict(self).items() if value}


def wanted_of(
    kind: _Text = "", instance: _Text = "", host: _Text = "", project: _Text = "", request_id: _Text = "",
    status: _Text = "", background: Annotated[str, Query(max_length=1)] = "",
) -> Wanted:  # fmt: skip
    """The filters of a request. Raises UsageError."""
    if status and status not in STATUSES:
        raise UsageError(f"`status` wants one of {', '.join(STATUSES)}")
    return Wanted(
        kind=kind, instance=instance, host=host, project=project, request_id=request_id, status=status,
        background=background,
    )  # fmt: skip


AskedFilter = Annotated[Wanted, Depends(wanted_of)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One page of operations, the newest first."""

    rows: list[OperationView]
    more: bool  # there is a next page


def listed(
    reader: Reader, range: TimeRange, wanted: Wanted, *, limit: int, offset: int, stuck_after_s: float
) -> Listed:
    """One row more than asked for is read, to know whether there is a next page."""
    everything = bool(wanted.background or wanted.kind or wanted.request_id)
    plain = not wanted.status  # the status is decided when it is read, so the database can not skip by it
    asked = OperationFilter(
        kind=wanted.kind or None, instance=wanted.instance or None, host=wanted.host or None,
        request_id=wanted.request_id or None, project_id=wanted.project or None,
        background=None if everything else False, since_ns=range.from_ns or None, until_ns=range.to_ns,
        limit=limit + 1 if plain else None, offset=offset if plain else 0,
    )  # fmt: skip
    found = Operations(reader, stuck_after_s=stuck_after_s).find(
        asked, status=None if plain else Status[wanted.status.upper()]
    )
    rows = list(islice(found, 0 if plain else offset, None if plain else offset + limit + 1))
    return Listed(rows=rows[:limit], more=len(rows) > limit)
