"""What notifications told of operations, and how far their migrations are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, Table, select

from rpcscope.model import Noted, ProgressSample
from rpcscope.store.database import Database
from rpcscope.store.notice_rows import notice_of, progress_of
from rpcscope.store.schema import migration_progress, notice

_IDS = 500


def notices(database: Database, operation_ids: Collection[int], limit: int) -> list[Noted]:
    """Notifications of operations, the oldest first; of more than `limit` the newest."""
    return [notice_of(row) for row in _of_operations(database, notice, operation_ids, limit)]


def progress(database: Database, operation_ids: Collection[int], limit: int) -> list[ProgressSample]:
    """How far the migrations of operations were, the oldest first; of more than `limit` the newest."""
    return [progress_of(row) for row in _of_operations(database, migration_progress, operation_ids, limit)]


def progress_between(database: Database, from_ns: int, to_ns: int, limit: int) -> list[ProgressSample]:
    """How far all migrations were in a time, both ends included, the oldest first; of more than `limit` the newest."""
    c = migration_progress.c
    query = select(migration_progress).where(c.at_ns.between(from_ns, to_ns))
    with database.reading() as connection:
        rows = connection.execute(query.order_by(c.at_ns.desc(), c.call_id.desc()).limit(limit)).all()
    return [progress_of(row) for row in reversed(rows)]


def _of_operations(database: Database, table: Table, ids: Collection[int], limit: int) -> list[Row[Any]]:
    rows: list[Row[Any]] = []
    ordered = sorted(ids)
    with database.reading() as connection:
        for start in range(0, len(ordered), _IDS):
            query = select(table).where(table.c.operation_id.in_(ordered[start : start + _IDS]))
            rows += connection.execute(query.order_by(table.c.at_ns.desc(), table.c.call_id.desc()).limit(limit)).all()
    return sorted(rows, key=lambda row: (row.at_ns, row.call_id))[-limit:]
