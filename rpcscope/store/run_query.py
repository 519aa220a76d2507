"""What one recording has of a time: operations by kind, RPCs by method. It answers what a run put on the bus."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from rpcscope.model import RPCS, MessageKind, Status
from rpcscope.store.database import Database
from rpcscope.store.names import NameReader
from rpcscope.store.resume import ID_BITS
from rpcscope.store.schema import call, name, operation_part

MOST_DURATIONS = 50_000
"""Of which the spread of durations is told: the newest."""
_STARTUP = "startup:"
"""Kinds of what services do when they start: in the background, and of no timer."""
_RPCS = ("c_calls", "c_casts", "c_fanouts")
_MESSAGES = (*_RPCS, "c_replies", "c_heartbeats", "c_notifications")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedKind:
    """Operations of one kind and status, with what they made happen."""

    kind: str
    background: bool
    status: Status  # as its recorder judged
    operations: int
    rpcs: int
    messages: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedMethod:
    """Closed calls of one method that no timer caused."""

    method: str
    kind: MessageKind
    rpcs: int
    messages: int  # with replies and heartbeats
    bytes: int


def recorded_kinds(
    database: Database, names: NameReader, recording_id: int, from_ns: int, to_ns: int
) -> list[RecordedKind]:
    """Operations that began in a time, by kind and status."""
    c = operation_part.c
    key = (c.kind_id, c.background, c.status)
    sums = (_sum(_RPCS), _sum(_MESSAGES), _sum(("c_bytes",)))
    query = select(*key, func.count(), *sums).where(_within(recording_id, from_ns, to_ns)).group_by(*key)
    with database.reading() as connection:
        rows = connection.execute(query).all()
    texts = names.load({row[0] for row in rows})
    found = [
        RecordedKind(
            kind=texts[kind], background=bool(background), status=Status(status), operations=count,
            rpcs=int(rpcs), messages=int(messages), bytes=int(size),
        )
        for kind, background, status, count, rpcs, messages, size in rows
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.background, one.kind, one.status))


def recorded_durations(
    database: Database, names: NameReader, recording_id: int, from_ns: int, to_ns: int
) -> dict[str, list[int]]:
    """Durations in ns of operations that are done, by kind, in no order; of the newest where there are many."""
    c = operation_part.c
    query = select(c.kind_id, c.finished_ns - c.started_ns).where(
        _within(recording_id, from_ns, to_ns),
        c.background.is_(False), c.status == int(Status.DONE), c.finished_ns.is_not(None),
    )  # fmt: skip
    with database.reading() as connection:
        rows = connection.execute(query.order_by(c.id.desc()).limit(MOST_DURATIONS)).all()
    texts = names.load({row[0] for row in rows})
    found: defaultdict[str, list[int]] = defaultdict(list)
    for kind, took_ns in rows:
        found[texts[kind]].append(max(0, int(took_ns)))
    return dict(found)


def recorded_methods(
    database: Database, names: NameReader, recording_id: int, from_ns: int, to_ns: int
) -> list[RecordedMethod]:
    """Calls, casts and fanouts that operations of this time caused, those of timers left out, by method."""
    low, high = _ids(recording_id)
    c = call.c
    key = (c.method_id, c.kind)
    messages = func.sum(c.publishes + c.replies + c.heartbeats)
    owner = operation_part.c
    joined = call.join(operation_part, owner.id == c.cause_id).join(name, name.c.id == owner.kind_id)
    query = (
        select(*key, func.sum(c.publishes), messages, func.sum(c.request_bytes + c.reply_bytes))
        .select_from(joined)
        .where(c.id >= low, c.id < high, c.kind.in_([int(kind) for kind in RPCS]))
        .where(or_(owner.background.is_(False), name.c.text.startswith(_STARTUP)))
        .where(owner.started_ns >= from_ns, owner.started_ns < to_ns)
        .group_by(*key)
    )
    with database.reading() as connection:
        rows = connection.execute(query).all()
    texts = names.load({row[0] for row in rows})
    found = [
        RecordedMethod(
            method=texts[method], kind=MessageKind(kind), rpcs=int(rpcs), messages=int(messages), bytes=int(size)
        )
        for method, kind, rpcs, messages, size in rows
    ]
    return sorted(found, key=lambda one: (-one.messages, one.method, one.kind))


def _within(recording_id: int, from_ns: int, to_ns: int) -> ColumnElement[bool]:
    low, high = _ids(recording_id)
    c = operation_part.c
    return and_(c.id >= low, c.id < high, c.request_id != "", c.started_ns >= from_ns, c.started_ns < to_ns)


def _ids(recording_id: int) -> tuple[int, int]:
    return recording_id << ID_BITS, (recording_id + 1) << ID_BITS


def _sum(columns: tuple[str, ...]) -> Any:
    whole: Any = operation_part.c[columns[0]]
    for column in columns[1:]:
        whole = whole + operation_part.c[column]
    return func.sum(whole)
