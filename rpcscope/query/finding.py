"""Operations that people look for, a page at a time, however many are stored."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rpcscope.model import Status
from rpcscope.query.operations import STUCK_AFTER_S, Operations, OperationView
from rpcscope.store.places import OperationOrder, OperationPage, Place
from rpcscope.store.protocol import OperationFilter, Reader

JUDGED = 1_000
"""Operations that one page puts together to see what they are, some 60 microseconds each."""
_AT_ONCE = 200
_LOOKS = 5
STANDINGS: dict[str, frozenset[Status]] = {
    **{status.name.lower(): frozenset((status,)) for status in Status},
    "unfinished": frozenset((Status.RUNNING, Status.STUCK)),
}
"""What may be asked for, and the statuses that it means."""
_STORED = {
    Status.UNKNOWN: (Status.UNKNOWN, Status.RUNNING, Status.FAILED),
    Status.RUNNING: (Status.RUNNING,),
    Status.STUCK: (Status.RUNNING,),
    Status.DONE: (Status.DONE,),
    Status.FAILED: (Status.FAILED,),
}
"""What a recorder may have said of what has this status now: a gap makes an end unknown, time makes it stuck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for, and its order."""

    filter: OperationFilter
    standing: str = ""  # of STANDINGS; "": any
    order: OperationOrder = OperationOrder.STARTED
    ascending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of it."""

    rows: tuple[OperationView, ...]
    next: Place | None  # where the next page goes on; None: there is none
    is_cut: bool = False  # few matched, and it was not looked further than to `next`


def find(
    reader: Reader, search: Search, *, limit: int, after: Place | None = None, stuck_after_s: float = STUCK_AFTER_S
) -> Found:
    """The next `limit` operations.

    By their start, a page costs no more than a look at 100,000 operations (10,000 where their calls tell whether they
    match) or 1,000 that are judged: where fewer are found by then, it has fewer, and `next` goes on. Every other order
    reads all operations of the time that match.
    """
    asked = Operations(reader, stuck_after_s=stuck_after_s)
    rows: list[OperationView] = []
    for _ in range(_LOOKS):
        page = _page(reader, search, after, limit + 1 - len(rows))
        for one in page.found:
            views = [view for view in asked.of_parts(one.parts) if _fits(view, search)]
            if views and len(rows) == limit:
                return Found(rows=tuple(rows), next=after)
            rows += views
            after = one.place
        after = page.reached
        if after is None:
            return Found(rows=tuple(rows), next=None)
        if search.order is not OperationOrder.STARTED and not rows:
            break
    return Found(rows=tuple(rows), next=after, is_cut=len(rows) < limit)


def _page(reader: Reader, search: Search, after: Place | None, missing: int) -> OperationPage:
    """More than are missing where only the whole tells which match; orders that cost a reading of all, all at once."""
    size = missing
    if search.standing or search.order is OperationOrder.DURATION or search.filter.max_duration_ns is not None:
        size = max(missing, _AT_ONCE if search.order is OperationOrder.STARTED else JUDGED)
    return reader.operation_page(
        _stored(search), order=search.order, ascending=search.ascending, after=after, limit=size
    )


def _stored(search: Search) -> OperationFilter:
    if not search.standing:
        return search.filter
    wanted = {stored for status in STANDINGS[search.standing] for stored in _STORED[status]}
    return replace(search.filter, statuses=sorted(wanted))


def _fits(view: OperationView, search: Search) -> bool:
    """What only the whole tells."""
    wanted, lasted, rpcs = search.filter, view.duration_ns, view.whole.by_request.rpcs
    timed = search.order is OperationOrder.DURATION or wanted.min_duration_ns is not None
    if lasted is None and (timed or wanted.max_duration_ns is not None):
        return False
    return (
        (not search.standing or view.status in STANDINGS[search.standing])
        and _within(lasted, wanted.min_duration_ns, wanted.max_duration_ns)
        and _within(rpcs, wanted.min_rpcs, wanted.max_rpcs)
    )


def _within(value: int | None, least: int | None, most: int | None) -> bool:
    if value is None:
        return least is None and most is None
    return (least is None or value >= least) and (most is None or value <= most)
