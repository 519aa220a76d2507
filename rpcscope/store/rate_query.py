"""How many messages each process published, step by step through a time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from rpcscope.store.call_query import CallFilter, open_calls
from rpcscope.store.call_rows import first_ns
from rpcscope.store.database import Database
from rpcscope.store.protocol import PublishCount
from rpcscope.store.schema import call

Counts = dict[tuple[int, int], int]


def publish_counts(database: Database, from_ns: int, to_ns: int, step_ns: int) -> list[PublishCount]:
    """Requests by their sender at the time of their publish, replies and heartbeats by who sent them.

    One pass over the calls of the time for each of the two, by the index on their first time.
    """
    found: Counts = {}
    sent, answered = call.c.publishes, call.c.replies + call.c.heartbeats
    with database.reading() as connection:
        for query in (
            _grouped(call.c.first_ns, call.c.from_process, sent, from_ns, to_ns, step_ns),
            _grouped(call.c.replied_ns, call.c.to_process, answered, from_ns, to_ns, step_ns),
        ):
            for step, process, count in connection.execute(query):
                _add(found, int(step), int(process), int(count))
    # Those that are still open are few and lie elsewhere.
    for one in open_calls(database, CallFilter(since_ns=from_ns, until_ns=to_ns)):
        _add(found, (first_ns(one) - from_ns) // step_ns, one.from_process, one.publishes)
        if one.replied_ns is not None and one.replied_ns < to_ns:
            _add(found, (one.replied_ns - from_ns) // step_ns, one.to_process, one.replies + one.heartbeats)
    return [PublishCount(step=step, process=process, messages=n) for (step, process), n in sorted(found.items()) if n]


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


def _add(found: Counts, step: int, process: int, count: int) -> None:
    found[step, process] = found.get((step, process), 0) + count
