"""How many operations of a time are of which kind and status."""

from __future__ import annotations

from sqlalchemy import and_, exists, func, or_, select

from rpcscope.store.database import Database
from rpcscope.store.names import NameReader
from rpcscope.store.places import OperationCount, OperationCounts
from rpcscope.store.schema import operation_part

COUNTED = 20_000
"""Parts that are read, two microseconds each."""
_part = operation_part.c


def operation_counts(database: Database, names: NameReader, since_ns: int, until_ns: int) -> OperationCounts:
    """Each operation once, by its part that knows its kind best."""
    edge = (
        select(_part.started_ns)
        .where(_part.started_ns >= since_ns, _part.started_ns < until_ns)
        .order_by(_part.started_ns.desc())
        .offset(COUNTED)
        .limit(1)
    )
    with database.reading() as connection:
        found = connection.execute(edge).scalar_one_or_none()
        begin_ns = since_ns if found is None else found + 1
        key = (_part.kind_id, _part.background, _part.status)
        other = operation_part.alias("other")
        surer = or_(
            other.c.kind_rank > _part.kind_rank, and_(other.c.kind_rank == _part.kind_rank, other.c.id < _part.id)
        )
        query = select(*key, func.count().label("operations")).where(
            _part.started_ns >= begin_ns,
            _part.started_ns < until_ns,
            _part.request_id != "",
            ~exists().where(other.c.request_id == _part.request_id, surer),
        )
        rows = connection.execute(query.group_by(*key)).all()
    texts = names.load({row.kind_id for row in rows})
    counts = [
        OperationCount(
            kind=texts[row.kind_id], background=bool(row.background), status=row.status, operations=row.operations
        )
        for row in rows
    ]
    counts.sort(key=lambda one: (-one.operations, one.kind, one.status))
    return OperationCounts(tuple(counts), None if found is None else begin_ns)
