"""What every request has at hand: the store, the settings, the templates. Routes get it through `Asked`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Query, Request

from rpcscope.export.metrics.follow import Follower
from rpcscope.store import Reader, Store
from rpcscope_web.assets import Assets
from rpcscope_web.pulse import Pulse
from rpcscope_web.ranges import TimeRange, asked, now_of
from rpcscope_web.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One dashboard. Only the reader of the store is ever asked for."""

    store: Store
    settings: Settings
    assets: Assets
    pulse: Pulse
    follower: Follower


def site_of(request: Request) -> Site:
    """The dashboard that a request is for."""
    return cast(Site, request.app.state.site)


def reader_of(site: Annotated[Site, Depends(site_of)]) -> Reader:
    """A reader for one request."""
    return site.store.reader()


_LAST = Query(max_length=7, description="How far back: 15m, 1h, 7d, or all. Default: 1h.", examples=["1h"])
_FROM = Query(alias="from", max_length=40, description="Begin: ISO 8601; UTC when no zone is given.")
_TO = Query(alias="to", max_length=40, description="End, likewise; not in the range.")
_LIVE = Query(max_length=1, description="1: the page follows what is stored.")


def range_of(
    reader: Annotated[Reader, Depends(reader_of)],
    last: Annotated[str, _LAST] = "",
    start: Annotated[str, _FROM] = "",
    end: Annotated[str, _TO] = "",
    live: Annotated[str, _LIVE] = "",
) -> TimeRange:
    """The range of the address; all time begins with what is stored first. Raises UsageError."""
    found = asked(now_of(reader), last, start, end, live=live == "1")
    if found.from_ns:
        return found
    first = next(iter(reader.calls(limit=1)), None)
    times = (first.published_ns, first.delivered_ns, first.replied_ns, first.last_ns) if first else ()
    return found.starting(min((at for at in times if at), default=0))


def lifetime_of(
    reader: Annotated[Reader, Depends(reader_of)],
    last: Annotated[str, _LAST] = "",
    start: Annotated[str, _FROM] = "",
    end: Annotated[str, _TO] = "",
    live: Annotated[str, _LIVE] = "",
) -> TimeRange:
    """The same for what is one thing: all time, unless another is asked for. Raises UsageError."""
    return range_of(reader, last or ("" if start or end else "all"), start, end, live)


AskedSite = Annotated[Site, Depends(site_of)]
AskedReader = Annotated[Reader, Depends(reader_of)]
AskedRange = Annotated[TimeRange, Depends(range_of)]
AskedLifetime = Annotated[TimeRange, Depends(lifetime_of)]
