"""The traffic of a time, added up by the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, case, func, or_, select

from rpcscope.model import RPCS, Call, Flag, Outcome
from rpcscope.store.buckets import bucket_column, bucket_of
from rpcscope.store.call_query import CallFilter, open_calls
from rpcscope.store.database import Database
from rpcscope.store.names import NameReader
from rpcscope.store.schema import call, process
from rpcscope.store.traffic import Traffic, TrafficSum
from rpcscope.store.windows import windows

LOOK = 40_000
"""Calls that are added up for an answer, four microseconds of CPU time each."""
KNOWN = (Outcome.OK, Outcome.FAILED, Outcome.TIMED_OUT)
_RPCS = [int(kind) for kind in RPCS]
_NAMES = ("method", "topic", "from_program", "from_role", "to_program", "to_role")
_COUNTS = ("calls", "known", "failed", "expected", "timed_out", "took_ns", "bytes")
_KEYS = 2 + len(_NAMES)
_Key = tuple[int | None, ...]
"""Kind, bucket and the ids of the names."""


def traffic(database: Database, names: NameReader, from_ns: int, to_ns: int, look: int = LOOK) -> Traffic:
    """See `protocol.Reader.traffic`."""
    opened = open_calls(database, CallFilter(since_ns=from_ns, until_ns=to_ns, limit=look))
    opened = [c for c in opened if c.kind in RPCS]
    query = _sums()
    found: dict[_Key, list[float]] = {}
    with database.reading() as connection:
        looked = windows(connection, from_ns, to_ns, look)
        for window in looked:
            _add(found, connection.execute(query, {"from_ns": window.from_ns, "to_ns": window.to_ns}), window.weight)
        ends = _ends(connection, {number for c in opened for number in (c.from_process, c.to_process)})
    texts = names.load({number or 0 for key in found for number in key[2:]})
    texts = names.load({number for pair in ends.values() for number in pair})
    known = {number: (texts[program], texts[role]) for number, (program, role) in ends.items()}
    sums = [_sum(key, counts, texts) for key, counts in found.items()]
    return Traffic(windows=looked, sums=(*sums, *(_of_open(c, known) for c in opened)))


def _add(found: dict[_Key, list[float]], rows: Iterable[Any], weight: float) -> None:
    """Adds what one window has, so many times; the largest of something is the largest."""
    for row in rows:
        key = tuple(row[:_KEYS])
        # SUM is a Decimal in two of the three databases.
        counts = [weight * int(count) for count in row[_KEYS:-1]]
        before = found.get(key)
        if before is None:
            found[key] = [*counts, row[-1]]
        else:
            summed = [one + other for one, other in zip(before, counts, strict=False)]
            found[key] = [*summed, max(before[-1], row[-1])]


def begun() -> ColumnElement[bool]:
    """It is a call of its own: a part of one that another recording began is not."""
    return or_(call.c.publishes > 0, call.c.flags.bitwise_and(int(Flag.NO_REQUEST)) == 0)


def during() -> tuple[ColumnElement[bool], ...]:
    """Calls, casts and fanouts of the window that the statement is executed for."""
    first = call.c.first_ns
    return first >= bindparam("from_ns"), first < bindparam("to_ns"), call.c.kind.in_(_RPCS)


def _sums() -> Select[Any]:
    sender, worker = process.alias("sender"), process.alias("worker")
    took = case((call.c.replied_ns >= call.c.published_ns, call.c.replied_ns - call.c.published_ns))
    size = call.c.request_bytes + call.c.reply_bytes
    expected = call.c.flags.bitwise_and(int(Flag.EXPECTED_FAILURE)) != 0
    failed = call.c.outcome == int(Outcome.FAILED)
    names: list[ColumnElement[Any]] = [
        call.c.method_id,
        call.c.topic_id,
        *(end.c[column] for end in (sender, worker) for column in ("program_id", "role_id")),
    ]
    bucket = case((took.is_not(None), bucket_column(took))).label("bucket")
    query = select(
        call.c.kind,
        bucket,
        *names,
        _count(begun()).label("calls"),
        _count(call.c.outcome.in_([int(one) for one in KNOWN])).label("known"),
        _count(and_(failed, ~expected)).label("failed"),
        _count(and_(failed, expected)).label("expected"),
        _count(call.c.outcome == int(Outcome.TIMED_OUT)).label("timed_out"),
        func.coalesce(func.sum(took), 0).label("took_ns"),
        func.sum(size).label("bytes"),
        func.max(size).label("largest_bytes"),
    )
    tables = call.outerjoin(sender, sender.c.id == call.c.from_process)
    tables = tables.outerjoin(worker, worker.c.id == call.c.to_process)
    # By the label's name: the whole expression would be worked out a second time.
    return query.select_from(tables).where(*during()).group_by(call.c.kind, "bucket", *names)


def _count(test: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((test, 1), else_=0))


def _sum(key: _Key, counts: list[float], texts: dict[int, str]) -> TrafficSum:
    named: dict[str, Any] = {word: texts[number or 0] for word, number in zip(_NAMES, key[2:], strict=True)}
    added: dict[str, Any] = dict(zip(_COUNTS, counts, strict=False))
    return TrafficSum(kind=key[0] or 0, bucket=key[1], largest_bytes=int(counts[-1]), **named, **added)


def _ends(connection: Connection, numbers: set[int]) -> dict[int, tuple[int, int]]:
    """Program and role, as ids of names, of some processes."""
    query = select(process.c.id, process.c.program_id, process.c.role_id)
    found: dict[int, tuple[int, int]] = {}
    ordered = sorted(numbers)
    for start in range(0, len(ordered), 500):
        rows = connection.execute(query.where(process.c.id.in_(ordered[start : start + 500])))
        found.update((row.id, (row.program_id, row.role_id)) for row in rows)
    return found


def _of_open(c: Call, ends: dict[int, tuple[str, str]]) -> TrafficSum:
    sender, worker = (ends.get(number, ("", "")) for number in (c.from_process, c.to_process))
    took_ns = None
    if c.published_ns is not None and c.replied_ns is not None and c.replied_ns >= c.published_ns:
        took_ns = c.replied_ns - c.published_ns
    failed, expected = c.outcome is Outcome.FAILED, bool(c.flags & Flag.EXPECTED_FAILURE)
    size = c.request_bytes + c.reply_bytes
    return TrafficSum(
        kind=int(c.kind), method=c.method, topic=c.topic,
        from_program=sender[0], from_role=sender[1], to_program=worker[0], to_role=worker[1],
        bucket=None if took_ns is None else bucket_of(took_ns),
        calls=int(c.publishes > 0 or not c.flags & Flag.NO_REQUEST),
        known=int(c.outcome in KNOWN), failed=int(failed and not expected), expected=int(failed and expected),
        timed_out=int(c.outcome is Outcome.TIMED_OUT), took_ns=took_ns or 0, bytes=size, largest_bytes=size,
    )  # fmt: skip
