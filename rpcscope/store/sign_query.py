"""Calls of a time added up by where they went and who took them, to see what is wrong with whom."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from rpcscope.model import Call, Flag, MessageKind, Outcome
from rpcscope.store.call_rows import NAME_COLUMNS, call_of
from rpcscope.store.database import Database
from rpcscope.store.host_query import newest_edge
from rpcscope.store.names import NameReader
from rpcscope.store.resume import ID_BITS
from rpcscope.store.schema import call
from rpcscope.store.sign_rows import CallerSign, CallSign, CallSigns, DeafSign

CALLERS = 100
"""Callers whose calls timed out that are told, at most."""
ENOUGH = 3
"""Replies that a process must have missed."""
MS = 1_000_000
_c = call.c
_RECORDING = (_c.id // (1 << ID_BITS)).label("recording_id")
_KEY = (_c.kind, _c.method_id, _c.exchange_id, _c.topic_id, _c.server_id, _c.to_process)
_CALLER = (_c.from_process, _c.method_id, _c.topic_id, _c.server_id)
_SUMS = ("publishes", "copies", "delivered", "answered", "silent", "timed_out", "routed")
_FLAGS = {
    "late": Flag.LATE_REPLY,
    "redelivered": Flag.REDELIVERED,
    "republished": Flag.REPUBLISHED,
    "unroutable": Flag.UNROUTABLE,
}
_TIMED_OUT = _c.outcome == int(Outcome.TIMED_OUT)
_UNANSWERED = or_(_TIMED_OUT, _c.outcome == int(Outcome.UNANSWERED))
Spans = Sequence[tuple[int, int]]


def call_signs(database: Database, names: NameReader, since_ns: int, until_ns: int, blind: Spans) -> CallSigns:
    """See `protocol.Reader.call_signs`."""
    seen = _seen(blind)
    with database.reading() as connection:
        edge = newest_edge(connection, since_ns, until_ns)
        during = and_(_c.first_ns >= (since_ns if edge is None else edge), _c.first_ns < until_ns)
        rows = list(connection.execute(_totals(seen).where(during).group_by("recording_id", *_KEY)))
        callers = list(connection.execute(_callers().where(during, seen, _TIMED_OUT)))
        deaf = list(connection.execute(_deaf().where(during)))
    used = {number for row in (*rows, *callers) for number in (row.method_id, row.topic_id, row.server_id)}
    texts = names.load(used | {row.exchange_id for row in rows})
    return CallSigns(
        rows=tuple(_sign(row, texts) for row in rows),
        callers=tuple(_caller(row, texts) for row in callers),
        deaf=tuple(_deaf_one(row) for row in deaf),
        since_ns=edge,
    )


def marked_calls(
    database: Database, names: NameReader, since_ns: int, until_ns: int, flags: int, outcomes: Collection[int],
    limit: int,
) -> list[Call]:  # fmt: skip
    """See `protocol.Reader.marked_calls`."""
    marked = or_(_c.flags.bitwise_and(flags) != 0, _c.outcome.in_(sorted(outcomes)))
    query = select(call).where(_c.first_ns >= since_ns, _c.first_ns < until_ns, marked)
    with database.reading() as connection:
        rows = list(connection.execute(query.order_by(_c.first_ns.desc(), _c.id.desc()).limit(limit)))
    texts = names.load({row[column] for row in rows for column in NAME_COLUMNS})
    return [call_of(row, texts) for row in rows]


def _seen(blind: Spans) -> ColumnElement[bool]:
    """Nothing hid an answer that came in time."""
    hidden = int(Flag.UNSEEN | Flag.EVICTED | Flag.NO_REQUEST)
    ends_ns = _c.first_ns + func.coalesce(_c.expiration_ms, 0) * MS
    clear = [or_(_c.first_ns >= to_ns, and_(_c.last_ns <= from_ns, ends_ns <= from_ns)) for from_ns, to_ns in blind]
    return and_(_c.flags.bitwise_and(hidden) == 0, *clear)


def _totals(seen: ColumnElement[bool]) -> Select[Any]:
    return select(
        _RECORDING,
        *_KEY,
        func.count().label("calls"),
        func.sum(_c.publishes).label("publishes"),
        func.sum(_c.copies).label("copies"),
        func.count(_c.delivered_ns).label("delivered"),
        func.count(_c.replied_ns).label("answered"),
        func.sum(case((_c.routed > 0, _c.routed), else_=0)).label("routed"),
        _times(and_(_UNANSWERED, _c.replied_ns.is_(None), seen), "silent"),
        _times(and_(_TIMED_OUT, seen), "timed_out"),
        *(_times(_c.flags.bitwise_and(int(flag)) != 0, word) for word, flag in _FLAGS.items()),
        func.min(_c.expiration_ms).label("shortest_ms"),
        func.max(_c.expiration_ms).label("longest_ms"),
        func.min(_c.first_ns).label("first_ns"),
        func.max(_c.first_ns).label("last_ns"),
    )


def _callers() -> Select[Any]:
    counted = func.count().label("timed_out")
    ends = func.min(_c.first_ns).label("first_ns"), func.max(_c.first_ns).label("last_ns")
    query = select(*_CALLER, counted, *ends).where(_c.from_process != 0).group_by(*_CALLER)
    return query.having(func.count() > 1).order_by(counted.desc(), *_CALLER).limit(CALLERS)


def _deaf() -> Select[Any]:
    answered = func.count(_c.replied_ns).label("answered")
    ends = func.min(_c.first_ns).label("first_ns"), func.max(_c.first_ns).label("last_ns")
    query = select(_RECORDING, _c.from_process, answered, *ends).group_by("recording_id", _c.from_process)
    query = query.where(_c.kind == int(MessageKind.REQUEST), _c.from_process != 0)
    query = query.having(func.count(_c.replied_ns) >= ENOUGH, func.count(_c.reply_delivered_ns) == 0)
    return query.order_by(answered.desc(), _c.from_process).limit(CALLERS)


def _times(what: ColumnElement[bool], word: str) -> ColumnElement[int]:
    return func.sum(case((what, 1), else_=0)).label(word)


def _sign(row: Any, texts: dict[int, str]) -> CallSign:
    # SUM is a Decimal in two of the three databases.
    return CallSign(
        recording_id=int(row.recording_id),
        kind=MessageKind(row.kind),
        method=texts[row.method_id],
        exchange=texts[row.exchange_id],
        topic=texts[row.topic_id],
        server=texts[row.server_id],
        to_process=row.to_process,
        calls=row.calls,
        **{word: int(getattr(row, word)) for word in (*_SUMS, *_FLAGS)},
        shortest_ms=row.shortest_ms,
        longest_ms=row.longest_ms,
        first_ns=row.first_ns,
        last_ns=row.last_ns,
    )


def _caller(row: Any, texts: dict[int, str]) -> CallerSign:
    return CallerSign(
        from_process=row.from_process,
        method=texts[row.method_id],
        topic=texts[row.topic_id],
        server=texts[row.server_id],
        timed_out=row.timed_out,
        first_ns=row.first_ns,
        last_ns=row.last_ns,
    )


def _deaf_one(row: Any) -> DeafSign:
    return DeafSign(
        recording_id=int(row.recording_id),
        from_process=row.from_process,
        answered=row.answered,
        first_ns=row.first_ns,
        last_ns=row.last_ns,
    )
