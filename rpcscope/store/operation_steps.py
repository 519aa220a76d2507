"""How many operations of each kind and status began in each step of a time."""

from __future__ import annotations

from sqlalchemy import ColumnElement, FromClause, and_, exists, func, or_, select

from rpcscope.store.database import Database
from rpcscope.store.names import NameReader
from rpcscope.store.places import OperationStep
from rpcscope.store.schema import operation_part

_part = operation_part.c


def is_more(database: Database, since_ns: int, until_ns: int, parts: int) -> bool:
    """Whether more parts than so many began in a time. No more of them are looked at."""
    query = select(_part.id).where(_part.started_ns >= since_ns, _part.started_ns < until_ns)
    with database.reading() as connection:
        return connection.execute(query.offset(parts).limit(1)).first() is not None


def operation_steps(
    database: Database, names: NameReader, since_ns: int, until_ns: int, step_ns: int
) -> list[OperationStep]:
    """Each operation once, by its part that knows its kind best, the first of these; one to two microseconds each."""
    other = operation_part.alias("other")
    step = ((_part.started_ns - since_ns) // step_ns).label("step")
    key = (_part.kind_id, _part.background, _part.status)
    query = select(*key, step, func.count().label("operations")).where(
        _part.started_ns >= since_ns,
        _part.started_ns < until_ns,
        _part.request_id != "",
        ~exists().where(other.c.request_id == _part.request_id, _is_surer(other, operation_part)),
    )
    with database.reading() as connection:
        # By the label's name: PostgreSQL takes the same expression with other parameters for another one.
        rows = connection.execute(query.group_by(*key, "step")).all()
    texts = names.load({row.kind_id for row in rows})
    return [
        OperationStep(
            kind=texts[row.kind_id],
            background=bool(row.background),
            status=row.status,
            step=int(row.step),
            operations=row.operations,
        )
        for row in rows
    ]


def _is_surer(one: FromClause, than: FromClause) -> ColumnElement[bool]:
    sooner = or_(
        one.c.started_ns < than.c.started_ns, and_(one.c.started_ns == than.c.started_ns, one.c.id < than.c.id)
    )
    return or_(one.c.kind_rank > than.c.kind_rank, and_(one.c.kind_rank == than.c.kind_rank, sooner))
