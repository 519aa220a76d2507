"""Totals by operation kind, call kind and method."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Select, and_, case, func, or_, select

from rpcscope.model import RPCS, Call, Flag, MessageKind, Outcome
from rpcscope.store.call_query import CallFilter, open_calls
from rpcscope.store.database import Database
from rpcscope.store.names import NameReader, read_names
from rpcscope.store.protocol import MethodTotal, RecordingTotals
from rpcscope.store.resume import ID_BITS
from rpcscope.store.schema import call, operation_part

Key = tuple[str, int, str]  # operation kind, call kind, method
_SUMS = (
    "calls",
    "publishes",
    "replies",
    "heartbeats",
    "copies",
    "request_bytes",
    "reply_bytes",
    "failed",
    "expected_failures",
    "timed_out",
    "answered",
    "answer_ns",
)


@dataclass(frozen=True, slots=True)
class TotalFilter:
    """Which operations count; None does not filter."""

    by: Literal["request", "cause"]
    kind: str | None
    background: bool | None

    @property
    def everything(self) -> bool:
        """Calls without an operation count, too."""
        return self.kind is None and self.background is None


def method_totals(database: Database, names: NameReader, wanted: TotalFilter) -> list[MethodTotal]:
    """Totals of closed calls, which the database adds up, and of the few that are open."""
    kind_id = None if wanted.kind is None else names.id_of(wanted.kind)
    if wanted.kind is not None and kind_id is None:
        return []
    opened = open_calls(database, CallFilter())
    with database.reading() as connection:
        rows = connection.execute(_closed(wanted, kind_id)).all()
        kinds = _kinds(connection, opened, wanted)
        texts = read_names(connection, {number for row in rows for number in (row.kind_id or 0, row.method_id)})
    totals: dict[Key, list[int]] = {}
    for row in rows:
        # SUM is a Decimal in two of the three databases.
        _add(totals, (texts[row.kind_id or 0], row.kind, texts[row.method_id]), [int(n) for n in row[3:]])
    for c in opened:
        kind = kinds.get(_operation_id(c, wanted), "" if wanted.everything else None)
        if kind is not None:
            _add(totals, (kind, int(c.kind), c.method), _sums(c))
    return [_total(key, totals[key]) for key in sorted(totals)]


def _closed(wanted: TotalFilter, kind_id: int | None) -> Select[Any]:
    owner = call.c.operation_id if wanted.by == "request" else call.c.cause_id
    answered = and_(call.c.published_ns.is_not(None), call.c.replied_ns.is_not(None))
    failed = call.c.outcome == int(Outcome.FAILED)
    expected = and_(failed, call.c.flags.bitwise_and(int(Flag.EXPECTED_FAILURE)) != 0)
    key = (operation_part.c.kind_id, call.c.kind, call.c.method_id)
    counted = ("publishes", "replies", "heartbeats", "copies", "request_bytes", "reply_bytes")
    query = select(
        *key,
        func.count(),
        *(func.sum(call.c[column]) for column in counted),
        *(func.sum(case((test, 1), else_=0)) for test in (failed, expected)),
        func.sum(case((call.c.outcome == int(Outcome.TIMED_OUT), 1), else_=0)),
        func.sum(case((answered, 1), else_=0)),
        func.sum(case((answered, call.c.replied_ns - call.c.published_ns), else_=0)),
    )
    query = query.select_from(call.outerjoin(operation_part, operation_part.c.id == owner))
    return _of_kind(query, wanted, kind_id).group_by(*key)


def _of_kind(query: Select[Any], wanted: TotalFilter, kind_id: int | None) -> Select[Any]:
    if kind_id is not None:
        query = query.where(operation_part.c.kind_id == kind_id)
    if wanted.background is not None:
        query = query.where(operation_part.c.background.is_(wanted.background))
    return query


def _kinds(connection: Connection, opened: Iterable[Call], wanted: TotalFilter) -> dict[int, str]:
    """Kinds of the operations of open calls, where the filter lets them count."""
    ids = sorted({_operation_id(c, wanted) for c in opened})
    query = select(operation_part.c.id, operation_part.c.kind_id)
    if wanted.background is not None:
        query = query.where(operation_part.c.background.is_(wanted.background))
    found: dict[int, int] = {}
    for start in range(0, len(ids), 1_000):
        rows = connection.execute(query.where(operation_part.c.id.in_(ids[start : start + 1_000])))
        found.update((row.id, row.kind_id) for row in rows)
    texts = read_names(connection, found.values())
    kinds = {number: texts[kind] for number, kind in found.items()}
    return kinds if wanted.kind is None else {number: kind for number, kind in kinds.items() if kind == wanted.kind}


def _operation_id(c: Call, wanted: TotalFilter) -> int:
    return c.operation_id if wanted.by == "request" else c.cause_id


def _sums(c: Call) -> list[int]:
    failed = c.outcome is Outcome.FAILED
    answered = c.published_ns is not None and c.replied_ns is not None
    answer_ns = c.replied_ns - c.published_ns if c.published_ns is not None and c.replied_ns is not None else 0
    counts = [1, c.publishes, c.replies, c.heartbeats, c.copies, c.request_bytes, c.reply_bytes]
    expected = failed and bool(c.flags & Flag.EXPECTED_FAILURE)
    return [*counts, int(failed), int(expected), int(c.outcome is Outcome.TIMED_OUT), int(answered), answer_ns]


def _add(totals: dict[Key, list[int]], key: Key, sums: list[int]) -> None:
    before = totals.get(key)
    totals[key] = sums if before is None else [one + other for one, other in zip(before, sums, strict=True)]


def _total(key: Key, sums: list[int]) -> MethodTotal:
    counts = dict(zip(_SUMS, sums, strict=True))
    return MethodTotal(operation_kind=key[0], call_kind=MessageKind(key[1]), method=key[2], **counts)


def recording_totals(database: Database, recording_id: int) -> RecordingTotals:
    """Operations and RPCs whose ids are of one recording; a part of an earlier call is not a call of its own."""
    kinds = [int(kind) for kind in RPCS]
    low, high = recording_id << ID_BITS, (recording_id + 1) << ID_BITS
    begun = case((or_(call.c.publishes > 0, call.c.flags.bitwise_and(int(Flag.NO_REQUEST)) == 0), 1), else_=0)
    closed = select(func.coalesce(func.sum(begun), 0)).where(call.c.id >= low, call.c.id < high, call.c.kind.in_(kinds))
    part = operation_part.c
    with database.reading() as connection:
        rpcs = int(connection.execute(closed).scalar_one())
        named = select(func.count()).where(part.id >= low, part.id < high, part.request_id != "")
        operations = int(connection.execute(named).scalar_one())
    opened = [c for c in open_calls(database, CallFilter()) if low <= c.id < high and c.kind in RPCS]
    return RecordingTotals(operations=operations, rpcs=rpcs + len(opened))
