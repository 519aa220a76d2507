"""The operations of one side by their kind: the newest of each, whole and over, that no gap touches."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rpcscope.compare.newest import Reading, affordable, newest
from rpcscope.compare.sample import Sample, sample
from rpcscope.compare.selection import Selection
from rpcscope.model import Call, Status
from rpcscope.query.calls import merged
from rpcscope.query.gaps import FOREVER, Loss, gaps_touching
from rpcscope.query.operations import Operations, OperationView
from rpcscope.store.protocol import Reader


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
    chosen = [info.recording for info in reader.recordings() if selection.has(info.recording.id)]
    labels = reader.labels()
    return Population(
        name=name,
        kinds={kind: side for kind, side in kinds.items() if side != KindSide()},
        gaps=gaps_touching(reader, selection.from_ns or 0, selection.to_ns or FOREVER, selection.recordings),
        unread_kinds=max(0, len(known) - reading.most_kinds),
        conditions=tuple(dict.fromkeys(one.conditions for one in chosen if one.conditions)),
        labels=tuple(sorted({f"{k}={v}" for one in chosen for k, v in labels.get(one.id, {}).items()})),
    )


def _kinds(reader: Reader, selection: Selection, reading: Reading) -> list[str]:
    since_ns, until_ns = selection.from_ns or 0, selection.to_ns or FOREVER
    known: Counter[str] = Counter()
    for one in reader.operation_steps(since_ns, until_ns, until_ns - since_ns):
        if (reading.background or not one.background) and reading.kind in (None, one.kind):
            known[one.kind] += one.operations
    return sorted(known, key=lambda kind: (-known[kind], kind))


def _side(reader: Reader, operations: Operations, selection: Selection, kind: str, reading: Reading) -> KindSide:
    parts, is_all = newest(reader, selection, kind, reading)
    views = [view for view in operations.of_parts(parts) if view.whole.request_id and view.whole.kind == kind]
    views.sort(key=lambda view: (-view.whole.started_ns, view.whole.request_id))
    over = [view for view in views if view.whole.complete and view.status in (Status.DONE, Status.FAILED)]
    whole = [view for view in over if not view.gaps]
    read = affordable(whole[: reading.most], reading)
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
