"""The filters, the order and the place of a list of operations, as they stand in an address."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Annotated

from fastapi import Depends, Query

from rpcscope.errors import UsageError
from rpcscope.query.finding import STANDINGS, Found, Search, find
from rpcscope.query.times import MS, SECOND
from rpcscope.store.places import OperationOrder, Place
from rpcscope.store.protocol import OperationFilter, Reader
from rpcscope_web.ranges import TimeRange

STATUSES = tuple(STANDINGS)
ORDERS = tuple(order.value for order in OperationOrder)
_UNITS = {"ms": MS, "s": SECOND, "m": 60 * SECOND, "h": 3_600 * SECOND}
_DURATION = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,3})?) ?(ms|s|m|h)")
_COUNT = re.compile(r"[0-9]{1,9}")
_PLACE = re.compile(r"(-?[0-9]{1,19})\.([0-9]{1,19})")
_INT64 = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The filters of an address; "" does not filter."""

    kind: str = ""
    instance: str = ""
    host: str = ""
    project: str = ""
    request_id: str = ""
    status: str = ""
    min_duration: str = ""  # such as 10s
    max_duration: str = ""
    min_rpcs: str = ""
    max_rpcs: str = ""
    background: str = ""  # 1: timers and start-up too
    sort: str = ""  # of ORDERS; "" by their start
    order: str = ""  # asc; "" the newest, longest, most first

    def query(self) -> dict[str, str]:
        """The parameters of a link with the same filters and order."""
        return {name: value for name, value in asdict(self).items() if value}

    def filters(self) -> dict[str, str]:
        """Those that leave operations out."""
        return {name: value for name, value in self.query().items() if name not in ("sort", "order", "background")}

    def search(self) -> Search:
        """What they mean, at whatever time. Raises UsageError."""
        everything = bool(self.background or self.kind or self.request_id)
        return Search(
            filter=OperationFilter(
                kind=self.kind or None, instance=self.instance or None, host=self.host or None,
                project_id=self.project or None, request_id=self.request_id or None,
                background=None if everything else False,
                min_duration_ns=_duration(self.min_duration), max_duration_ns=_duration(self.max_duration),
                min_rpcs=_count("min_rpcs", self.min_rpcs), max_rpcs=_count("max_rpcs", self.max_rpcs),
            ),
            standing=self.status,
            order=OperationOrder(self.sort or "started"),
            ascending=self.order == "asc",
        )  # fmt: skip


_Text = Annotated[str, Query(max_length=255)]
_Duration = Annotated[str, Query(max_length=12, description="A number with ms, s, m or h.", examples=["10s"])]
_Count = Annotated[str, Query(max_length=9, description="A number of calls, casts and fanouts.", examples=["15"])]
_Status = Annotated[str, Query(max_length=12, description=f"One of {', '.join(STATUSES)}.")]
_Sort = Annotated[str, Query(max_length=12, description=f"One of {', '.join(ORDERS)}; by their start at first.")]
_Order = Annotated[str, Query(max_length=4, description="asc or desc, which it is at first.")]
_Background = Annotated[str, Query(max_length=1, description="1: what timers and starts of services made, too.")]


def wanted_of(
    kind: _Text = "", instance: _Text = "", host: _Text = "", project: _Text = "", request_id: _Text = "",
    status: _Status = "", min_duration: _Duration = "", max_duration: _Duration = "", min_rpcs: _Count = "",
    max_rpcs: _Count = "", background: _Background = "", sort: _Sort = "", order: _Order = "",
) -> Wanted:  # fmt: skip
    """The filters of a request. Raises UsageError."""
    for name, value, known in (("status", status, STATUSES), ("sort", sort, ORDERS), ("order", order, ("asc", "desc"))):
        if value and value not in known:
            raise UsageError(f"`{name}` wants one of {', '.join(known)}")
    found = Wanted(
        kind=kind, instance=instance, host=host, project=project, request_id=request_id, status=status,
        min_duration=min_duration, max_duration=max_duration, min_rpcs=min_rpcs, max_rpcs=max_rpcs,
        background="1" if background == "1" else "", sort="" if sort == "started" else sort,
        order=order if order == "asc" else "",
    )  # fmt: skip
    found.search()  # what can not be read is refused before anything is asked for
    return found


def place_of(
    after: Annotated[str, Query(max_length=40, description="Where the page before ended, as its `next` says.")] = "",
) -> Place | None:
    """Where a list goes on. Raises UsageError."""
    if not after:
        return None
    found = _PLACE.fullmatch(after)
    if found is None or max(abs(int(found[1])), int(found[2])) > _INT64:
        raise UsageError("`after` wants what `next` of the page before says: begin again without it")
    return Place(int(found[1]), int(found[2]))


AskedFilter = Annotated[Wanted, Depends(wanted_of)]
AskedPlace = Annotated[Place | None, Depends(place_of)]


def written(place: Place | None) -> str | None:
    """A place as the parameter `after`."""
    return None if place is None else f"{place.value}.{place.id}"


def listed(
    reader: Reader, range: TimeRange, wanted: Wanted, *, limit: int, after: Place | None, stuck_after_s: float
) -> Found:
    """One page of what began in a time."""
    search = wanted.search()
    during = replace(search.filter, since_ns=range.from_ns or None, until_ns=range.to_ns)
    return find(reader, replace(search, filter=during), limit=limit, after=after, stuck_after_s=stuck_after_s)


def _duration(text: str) -> int | None:
    if not text:
        return None
    found = _DURATION.fullmatch(text)
    if found is None:
        raise UsageError("a duration wants a number with ms, s, m or h, such as 10s")
    return round(float(found[1]) * _UNITS[found[2]])


def _count(name: str, text: str) -> int | None:
    if not text:
        return None
    if _COUNT.fullmatch(text) is None:
        raise UsageError(f"`{name}` wants a whole number")
    return int(text)
