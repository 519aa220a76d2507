"""What a recorder loads when it starts: all that earlier recordings of its scope left open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, delete, func, literal_column, select

from rpcscope.model import Call, Operation, Process, Resume, Status
from rpcscope.store.call_rows import open_call
from rpcscope.store.names import read_names
from rpcscope.store.operation_rows import OPERATION_NAMES, PROCESS_NAMES, operation_of, process_of
from rpcscope.store.recording_rows import counters_of, recording_of
from rpcscope.store.schema import call, open_message, operation_part, process, recording, tap_fingerprint

ID_BITS = 40
FINGERPRINT_BYTES = 8
FINGERPRINTS = 65_536
OPERATIONS = 100_000
_IDS_A_QUERY = 1_000


def load_resume(connection: Connection, recording_id: int) -> Resume:
    """The Resume of a recording that exists, read in the caller's transaction."""
    row = connection.execute(select(recording).where(recording.c.id == recording_id)).one()
    scope = _scope(recording_id)
    open_calls = _open_calls(connection, scope)
    return Resume(
        recording=recording_of(row),
        position=row.position,
        counters=counters_of(row),
        open_calls=open_calls,
        operations=_operations(connection, scope, open_calls),
        processes=_processes(connection, scope),
        fingerprints=_fingerprints(connection, scope),
        next_ids=_next_ids(connection, recording_id),
    )


def _open_calls(connection: Connection, scope: Select[int]) -> tuple[Call, ...]:
    query = select(open_message.c.blob).where(_recording(open_message).in_(scope))
    query = query.order_by(open_message.c.since, open_message.c.id)
    return tuple(open_call(blob) for blob in connection.execute(query).scalars())


def _operations(connection: Connection, scope: Select[int], calls: Iterable[Call]) -> tuple[Operation, ...]:
    unfinished = select(operation_part).where(
        operation_part.c.background.is_(False),
        operation_part.c.status.not_in((int(Status.DONE), int(Status.FAILED))),
        _recording(operation_part).in_(scope),
    )
    newest = unfinished.order_by(operation_part.c.started_ns.desc(), operation_part.c.id.desc()).limit(OPERATIONS)
    rows = {row.id: row for row in connection.execute(newest)}
    wanted = {number for c in calls for number in (c.operation_id, c.cause_id)} - rows.keys() - {0}
    rows.update((row.id, row) for row in _parts(connection, sorted(wanted)))
    names = _names(connection, rows.values(), OPERATION_NAMES)
    ordered = sorted(rows.values(), key=lambda row: (row.started_ns, row.id), reverse=True)
    return tuple(operation_of(row, names) for row in ordered)


def _parts(connection: Connection, ids: list[int]) -> Iterable[Row[Any]]:
    for start in range(0, len(ids), _IDS_A_QUERY):
        chunk = ids[start : start + _IDS_A_QUERY]
        yield from connection.execute(select(operation_part).where(operation_part.c.id.in_(chunk)))


def _processes(connection: Connection, scope: Select[int]) -> tuple[Process, ...]:
    query = select(process).where(process.c.gone_ns.is_(None), _recording(process).in_(scope))
    rows = connection.execute(query.order_by(process.c.id)).all()
    names = _names(connection, rows, PROCESS_NAMES)
    return tuple(process_of(row, names) for row in rows)


def _fingerprints(connection: Connection, scope: Select[int]) -> bytes:
    """The last 65,536 of the scope, the oldest first; a recording that was short is filled up from those before it."""
    query = select(tap_fingerprint.c.fingerprints).where(tap_fingerprint.c.recording_id.in_(scope))
    query = query.order_by(tap_fingerprint.c.recording_id.desc(), tap_fingerprint.c.position.desc())
    parts: list[bytes] = []
    missing = FINGERPRINTS * FINGERPRINT_BYTES
    for part in connection.execute(query).scalars():
        parts.append(part[-missing:])
        missing -= len(parts[-1])
        if not missing:
            break
    return b"".join(reversed(parts))


def forget_fingerprints(connection: Connection, recording_id: int) -> None:
    """Removes those of the recording's scope that are older than its last 65,536 events."""
    scope = _scope(recording_id)
    row = tap_fingerprint.c
    sizes = select(row.recording_id, row.position, func.length(row.fingerprints).label("size"))
    sizes = sizes.where(row.recording_id.in_(scope)).order_by(row.recording_id.desc(), row.position.desc())
    kept = 0
    for recording_number, position, size in connection.execute(sizes).all():
        if kept >= FINGERPRINTS:
            old = (row.recording_id == recording_number, row.position == position)
            connection.execute(delete(tap_fingerprint).where(*old))
        kept += size // FINGERPRINT_BYTES


def _scope(recording_id: int) -> Select[int]:
    """Ids of the recording and of the earlier ones of its scope."""
    own = recording.alias("own")
    same = select(own.c.scope).where(own.c.id == recording_id).scalar_subquery()
    return select(recording.c.id).where(recording.c.scope == same, recording.c.id <= recording_id)


def _recording(table: Table) -> ColumnElement[int]:
    # A literal, because PostgreSQL shifts by a short number only.
    return table.c.id.bitwise_rshift(literal_column(str(ID_BITS)))


def _next_ids(connection: Connection, recording_id: int) -> int:
    first, last = recording_id << ID_BITS, (recording_id + 1) << ID_BITS
    highest = first
    for table in (call, open_message, operation_part, process):
        query = select(func.max(table.c.id)).where(table.c.id >= first, table.c.id < last)
        highest = max(highest, connection.execute(query).scalar() or first)
    return highest - first + 1


def _names(connection: Connection, rows: Iterable[Row[Any]], columns: tuple[str, ...]) -> dict[int, str]:
    return read_names(connection, {getattr(row, column) for row in rows for column in columns})
