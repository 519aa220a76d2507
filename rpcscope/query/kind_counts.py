"""Kinds of operation in a time that has too many to read: counted by the database, costs by the newest of each kind.

Counts are of all. The status is what the recorder of the surest part judged, except of those that it took to be
running: these are read, the newest LOOK of them, and stand as they stand now; the rest of them is unknown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from rpcscope.model import Operation, Status
from rpcscope.query.kind_row import KindRow, kind_row
from rpcscope.query.operations import Operations, OperationView
from rpcscope.store.places import OperationStep
from rpcscope.store.protocol import OperationFilter, Reader

LOOK = 1_000
SAMPLED = 3_000
"""Operations that are read of all kinds together, 30 microseconds each."""
LEAST = 50
Key = tuple[str, bool]
_T = TypeVar("_T")


def counted_rows(reader: Reader, operations: Operations, from_ns: int, to_ns: int, step_ns: int) -> Iterator[KindRow]:
    """A row for each kind, those of people and of timers apart."""
    by_key: defaultdict[Key, list[OperationStep]] = defaultdict(list)
    for one in reader.operation_steps(from_ns, to_ns, step_ns):
        by_key[one.kind, one.background].append(one)
    time = OperationFilter(since_ns=from_ns, until_ns=to_ns)
    running = _by_key(_running(reader, operations, time)) if _has_running(by_key) else {}
    kinds = sorted({kind for kind, _ in by_key})
    newest = _by_key(_newest(reader, operations, time, kinds))
    for key, steps in by_key.items():
        views, begun = newest.get(key, []), _sums((one.step, one.operations) for one in steps)
        sampled = len(views) if len(views) < sum(begun.values()) else None
        yield kind_row(*key, _stand(steps, running.get(key, [])), begun, views, sampled)


def _has_running(by_key: Mapping[Key, list[OperationStep]]) -> bool:
    return any(one.status == Status.RUNNING for steps in by_key.values() for one in steps)


def _running(reader: Reader, operations: Operations, time: OperationFilter) -> Iterator[OperationView]:
    """The newest of those that are counted as running."""
    wanted, after, read = replace(time, statuses=(Status.RUNNING,)), None, 0
    while read < LOOK:
        page = reader.operation_page(wanted, after=after, limit=LOOK - read)
        read += len(page.found)
        counted = [one.parts for one in page.found if _surest(one.parts).status is Status.RUNNING]
        yield from operations.of_parts(chain.from_iterable(counted))
        after = page.reached
        if after is None:
            return


def _surest(parts: Sequence[Operation]) -> Operation:
    """The part by which the database counts."""
    return max(parts, key=lambda part: (part.kind_rank, -part.started_ns, -part.id))


def _newest(
    reader: Reader, operations: Operations, time: OperationFilter, kinds: Sequence[str]
) -> Iterator[OperationView]:
    each = max(LEAST, SAMPLED // max(1, len(kinds)))
    for kind in kinds:
        page = reader.operation_page(replace(time, kind=kind), limit=each)
        views = operations.of_parts(chain.from_iterable(one.parts for one in page.found))
        yield from (view for view in views if view.whole.kind == kind)


def _by_key(views: Iterable[OperationView]) -> dict[Key, list[OperationView]]:
    found: dict[Key, list[OperationView]] = {}
    for view in views:
        if view.whole.request_id:
            found.setdefault((view.whole.kind, view.whole.background), []).append(view)
    return found


def _stand(steps: Iterable[OperationStep], running: Sequence[OperationView]) -> Counter[Status]:
    stand = _sums((Status(one.status), one.operations) for one in steps)
    stand[Status.UNKNOWN] += max(0, stand[Status.RUNNING] - len(running))
    stand[Status.RUNNING] = 0
    stand.update(view.status for view in running)
    return stand


def _sums(pairs: Iterable[tuple[_T, int]]) -> Counter[_T]:
    found: Counter[_T] = Counter()
    for key, count in pairs:
        found[key] += count
    return found
