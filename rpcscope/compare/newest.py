"""The newest operations of one kind on one side, as many as may be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from rpcscope.compare.selection import Selection
from rpcscope.model import Operation
from rpcscope.query.gaps import FOREVER
from rpcscope.query.ids import recording_of
from rpcscope.query.operations import OperationView
from rpcscope.query.times import SECOND
from rpcscope.store.places import Place
from rpcscope.store.protocol import OperationFilter, Reader

_BEFORE_NS = 3_600 * SECOND
"""What lay in the tap's queue when its recorder began is not older."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How much is read, and what counts."""

    most: int = 500  # operations of one kind, the newest
    most_kinds: int = 200  # the most frequent
    most_calls: int = 100_000  # calls of one kind, some 30 microseconds each
    kind: str | None = None  # this one alone; None: all
    background: bool = False  # timers and start-up too
    by_cause: bool = False  # what an operation made happen, whatever request id it carries


def newest(reader: Reader, selection: Selection, kind: str, reading: Reading) -> tuple[list[Operation], bool]:
    """Parts of the newest operations of a kind, of the chosen recordings alone; whether these are all."""
    found: dict[int, Operation] = {}
    is_all = True
    for wanted in _filters(reader, selection, kind, reading):
        operations, after = 0, None
        while operations < reading.most:
            after, placed = _page(reader, wanted, after, reading.most - operations)
            operations += len(placed)
            parts = chain.from_iterable(placed)
            found |= {part.id: part for part in parts if selection.has(recording_of(part.id))}
            if after is None:
                break
        is_all = is_all and after is None
    return list(found.values()), is_all


def affordable(views: Sequence[OperationView], reading: Reading) -> list[OperationView]:
    """As many of the newest as may be read; one that is larger than all others may be left out."""
    found, left = [], reading.most_calls
    for view in views:
        tally = view.whole.by_cause if reading.by_cause else view.whole.by_request
        if tally.rpcs + tally.notifications <= left:
            left -= tally.rpcs + tally.notifications
            found.append(view)
    return found


def _filters(reader: Reader, selection: Selection, kind: str, reading: Reading) -> Iterator[OperationFilter]:
    """One for each chosen recording, of the time in which it was made; one of all when none was chosen."""
    everything = OperationFilter(
        kind=kind, since_ns=selection.from_ns, until_ns=selection.to_ns,
        background=None if reading.background else False,
    )  # fmt: skip
    if selection.recordings is None:
        yield everything
        return
    for info in reader.recordings():
        one = info.recording
        if one.id in selection.recordings:
            since_ns = max(selection.from_ns or 0, one.started_ns - _BEFORE_NS)
            until_ns = min(selection.to_ns or FOREVER, info.last_ns + 1)
            yield replace(everything, since_ns=since_ns, until_ns=until_ns, recording_id=one.id)


def _page(
    reader: Reader, wanted: OperationFilter, after: Place | None, limit: int
) -> tuple[Place | None, list[tuple[Operation, ...]]]:
    page = reader.operation_page(wanted, after=after, limit=limit)
    return page.reached, [one.parts for one in page.found]
