"""The operations of one side by their kind: the newest of each, whole and over, that no gap touches."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from rpcscope.compare.sample import Sample, sample
from rpcscope.compare.selection import Selection
from rpcscope.model import Call, Operation, Status
from rpcscope.query.calls import merged
from rpcscope.query.gaps import FOREVER, Loss, gaps_touching
from rpcscope.query.ids import recording_of
from rpcscope.query.operations import Operations, OperationView
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


@dataclass(frozen=True, slots=True, kw_only=True)
class KindSide:
    """The operations of one kind on one side."""

    done: tuple[Sample, ...] = ()  # newest first
    failed: tuple[Sample, ...] = ()
    touched: int = 0  # left out: a tap was blind during them, so their counts may be too low
    unfinished: int = 0  # left out: not over, or their beginning was not recorded
    is_all: bool = True  # there are no older ones

    @property
    def over(self) -> int:
        """Operations that came to their end."""
        return len(self.done) + len(self.failed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """One side of a comparison."""

    name: str  # as people know it
    kinds: dict[str, KindSide]
    gaps: tuple[Loss, ...]  # of its time
    conditions: tuple[str, ...]  # that were said of its recordings
    unread_kinds: int = 0  # there are so many more, which are less frequent
    labels: tuple[str, ...] = ()  # KEY=VALUE, of all of its recordings together


def population(reader: Reader, selection: Selection, name: str, reading: Reading) -> Population:
    """What a selection of a store holds."""
    operations = Operations(reader)
    known = _kinds(reader, selection, reading)
    kinds = {kind: _side(reader, operations, selection, kind, reading) for kind in known[: reading.most_kinds]}
    chosen = [info.recording for info in reader.recordings() if _is_chosen(selection, info.recording.id)]
    labels = reader.labels()
    return Population(
        name=name,
        kinds={kind: side for kind, side in kinds.items() if side != KindSide()},
        gaps=gaps_touching(reader, selection.from_ns or 0, selection.to_ns or FOREVER, selection.recordings),
        unread_kinds=max(0, len(known) - reading.most_kinds),
        conditions=tuple(dict.fromkeys(one.conditions for one in chosen if one.conditions)),
        labels=tuple(sorted({f"{k}={v}" for one in chosen for k, v in labels.get(one.id, {}).items()})),
    )


def _is_chosen(selection: Selection, recording: int) -> bool:
    return selection.recordings is None or recording in selection.recordings


def _kinds(reader: Reader, selection: Selection, reading: Reading) -> list[str]:
    since_ns, until_ns = selection.from_ns or 0, selection.to_ns or FOREVER
    known: Counter[str] = Counter()
    for one in reader.operation_steps(since_ns, until_ns, until_ns - since_ns):
        if (reading.background or not one.background) and reading.kind in (None, one.kind):
            known[one.kind] += one.operations
    return sorted(known, key=lambda kind: (-known[kind], kind))


def _side(reader: Reader, operations: Operations, selection: Selection, kind: str, reading: Reading) -> KindSide:
    parts, is_all = _newest(reader, selection, kind, reading)
    views = [view for view in operations.of_parts(parts) if view.whole.request_id and view.whole.kind == kind]
    views.sort(key=lambda view: (-view.whole.started_ns, view.whole.request_id))
    over = [view for view in views if view.whole.complete and view.status in (Status.DONE, Status.FAILED)]
    whole = [view for view in over if not view.gaps]
    read = _affordable(whole[: reading.most], reading)
    samples = {view.whole.request_id: sample(view, calls, by_cause=reading.by_cause)
               for view, calls in _with_calls(reader, read, by_cause=reading.by_cause)}  # fmt: skip
    by_status = {
        status: tuple(samples[view.whole.request_id] for view in read if view.status is status)
        for status in (Status.DONE, Status.FAILED)
    }
    return KindSide(
        done=by_status[Status.DONE],
        failed=by_status[Status.FAILED],
        touched=len(over) - len(whole),
        unfinished=len(views) - len(over),
        is_all=is_all and len(read) == len(whole),
    )


def _newest(reader: Reader, selection: Selection, kind: str, reading: Reading) -> tuple[list[Operation], bool]:
    """Parts of the newest operations of a kind, of the chosen recordings alone; whether these are all."""
    found: dict[int, Operation] = {}
    is_all = True
    for wanted in _filters(reader, selection, kind, reading):
        operations, after = 0, None
        while operations < reading.most:
            after, placed = _page(reader, wanted, after, reading.most - operations)
            operations += len(placed)
            parts = chain.from_iterable(placed)
            found |= {part.id: part for part in parts if _is_chosen(selection, recording_of(part.id))}
            if after is None:
                break
        is_all = is_all and after is None
    return list(found.values()), is_all


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


def _affordable(views: Sequence[OperationView], reading: Reading) -> list[OperationView]:
    """As many of the newest as may be read; one that is larger than all others may be left out."""
    found, left = [], reading.most_calls
    for view in views:
        tally = view.whole.by_cause if reading.by_cause else view.whole.by_request
        if tally.rpcs + tally.notifications <= left:
            left -= tally.rpcs + tally.notifications
            found.append(view)
    return found


def _with_calls(
    reader: Reader, views: Iterable[OperationView], *, by_cause: bool
) -> Iterator[tuple[OperationView, list[Call]]]:
    owners = {number: view.whole.request_id for view in views for number in view.ids}
    stored: list[Call] = []
    if owners:
        found = reader.calls(cause_ids=owners) if by_cause else reader.calls(operation_ids=owners)
        stored = list(found)
    calls: defaultdict[str, list[Call]] = defaultdict(list)
    for call in merged(lambda: stored):
        owner = owners.get(call.cause_id if by_cause else call.operation_id)
        if owner is not None:
            calls[owner].append(call)
    for view in views:
        yield view, calls[view.whole.request_id]
