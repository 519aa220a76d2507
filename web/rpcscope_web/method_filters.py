"""Which methods, in which order, as they stand in an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query

from rpcscope.errors import UsageError
from rpcscope.query.methods import ORDERS, Methods, methods
from rpcscope.store.protocol import Reader
from rpcscope_web.ranges import TimeRange

COLUMNS = {
    "calls": "most frequent",
    "errors": "most errors",
    "slowest": "slowest",
    "time": "most time",
    "largest": "largest",
    "name": "by name",
}
"""Orders in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedMethods:
    """The filters and the order of an address; "" does not filter."""

    service: str = ""  # that takes the calls
    sender: str = ""
    sort: str = ""  # of ORDERS; "" the most frequent first

    def query(self) -> dict[str, str]:
        """The parameters of a link to the same."""
        found = {"service": self.service, "sender": self.sender, "sort": self.sort}
        return {name: value for name, value in found.items() if value}


_Service = Annotated[str, Query(max_length=255, description="Only calls that this service takes.")]
_Sender = Annotated[str, Query(max_length=255, description="Only calls that this service sends.")]
_Sort = Annotated[str, Query(max_length=12, description=f"One of {', '.join(ORDERS)}; the most frequent at first.")]


def wanted_of(service: _Service = "", sender: _Sender = "", sort: _Sort = "") -> WantedMethods:
    """The filters of a request. Raises UsageError."""
    if sort and sort not in ORDERS:
        raise UsageError(f"`sort` wants one of {', '.join(ORDERS)}")
    return WantedMethods(service=service, sender=sender, sort="" if sort == "calls" else sort)


AskedMethods = Annotated[WantedMethods, Depends(wanted_of)]


def listed(reader: Reader, range: TimeRange, wanted: WantedMethods) -> Methods:
    """All that match in a time."""
    return methods(
        reader, range.from_ns, range.to_ns, worker=wanted.service, sender=wanted.sender, order=wanted.sort or "calls"
    )
