"""How many messages each process published, step by step through a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select

from rpcscope.store.call_query import CallFilter, open_calls
from rpcscope.store.call_rows import first_ns
from rpcscope.store.database import Database
from rpcscope.store.protocol import PublishCount, PublishCounts
from rpcscope.store.schema import call
from rpcscope.store.traffic import Window
from rpcscope.store.windows import step_windows

LOOK = 60_000
"""Calls that are read for an answer, two to four microseconds each."""
Counts = dict[tuple[int, int], float]


def publish_counts(database: Database, from_ns: int, to_ns: int, step_ns: int, look: int = LOOK) -> PublishCounts:
    """Requests by their sender at the time of their publish, replies and heartbeats by who sent them.

    Up to `look` calls are all read, twice, by the index on their first time. Of more a window of each step is read,
    once: replies then count in the step of their request.
    """
    found: Counts = {}
    steps = max(1, -(-(to_ns - from_ns) // step_ns))
    with database.reading() as connection:
        looked = step_windows(connection, from_ns, step_ns, steps, look)
        whole = len(looked) == 1 and looked[0].weight == 1
        counted = _all(connection, from_ns, to_ns, step_ns) if whole else _sampled(connection, looked, from_ns, step_ns)
        for step, process, count in counted:
            _add(found, step, process, count)
    # Those that are still open are few and lie elsewhere.
    for one in open_calls(database, CallFilter(since_ns=from_ns, until_ns=to_ns)):
        _add(found, (first_ns(one) - from_ns) // step_ns, one.from_process, one.publishes)
        if one.replied_ns is not None and one.replied_ns < to_ns:
            _add(found, (one.replied_ns - from_ns) // step_ns, one.to_process, one.replies + one.heartbeats)
    counts = [PublishCount(step=step, process=process, messages=n) for (step, process), n in sorted(found.items()) if n]
    share = sum(window.to_ns - window.from_ns for window in looked) / (steps * step_ns)
    return PublishCounts(counts=counts, share=share)


def _all(connection: Connection, from_ns: int, to_ns: int, step_ns: int) -> Iterator[tuple[int, int, float]]:
    for query in (
        _grouped(call.c.first_ns, call.c.from_process, call.c.publishes, from_ns, to_ns, step_ns),
        _grouped(call.c.replied_ns, call.c.to_process, call.c.replies + call.c.heartbeats, from_ns, to_ns, step_ns),
    ):
        for step, process, count in connection.execute(query):
            yield int(step), int(process), int(count)


def _sampled(
    connection: Connection, looked: Sequence[Window], from_ns: int, step_ns: int
) -> Iterator[tuple[int, int, float]]:
    first, ends = call.c.first_ns, (call.c.from_process, call.c.to_process)
    sums = func.sum(call.c.publishes), func.sum(call.c.replies + call.c.heartbeats)
    query = select(*ends, *sums).where(first >= bindparam("from_ns"), first < bindparam("to_ns")).group_by(*ends)
    for window in looked:
        step = (window.from_ns - from_ns) // step_ns
        for sender, worker, sent, answered in connection.execute(
            query, {"from_ns": window.from_ns, "to_ns": window.to_ns}
        ):
            yield step, int(sender), int(sent) * window.weight
            yield step, int(worker), int(answered) * window.weight


def _grouped(
    at: ColumnElement[int],
    process: ColumnElement[int],
    count: ColumnElement[int],
    from_ns: int,
    to_ns: int,
    step_ns: int,
) -> Select[Any]:
    step = ((at - from_ns) // step_ns).label("step")
    columns: list[ColumnElement[Any]] = [step, process, func.sum(count)]
    query = select(*columns).where(call.c.first_ns >= from_ns, call.c.first_ns < to_ns, at < to_ns)
    # By the label's name: PostgreSQL takes the same expression with other parameters for another one.
    return query.group_by("step", process)


def _add(found: Counts, step: int, process: int, count: float) -> None:
    found[step, process] = found.get((step, process), 0) + count
