"""Pages of operations by their start, read from the index from a place on.

The place of an operation is that of its first part that matches, so each is met once however many parts it has. One
page looks at no more than so many parts: where few match it ends early and says how far it came.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, or_, select, true

from rpcscope.store.database import Database
from rpcscope.store.names import NameReader
from rpcscope.store.operation_conditions import Part, conditions, of_time
from rpcscope.store.operation_query import parts_by_request_id
from rpcscope.store.places import OperationPage, Place, Placed
from rpcscope.store.protocol import OperationFilter
from rpcscope.store.schema import operation_part

LOOK = 20_000
"""Parts whose own columns tell whether they match, a microsecond or two each."""
LOOK_AT_CALLS = 2_000
"""Parts whose calls have to be read, some 50 microseconds each."""


def by_start(
    database: Database, names: NameReader, wanted: OperationFilter, after: Place | None, limit: int, *, ascending: bool
) -> OperationPage:
    """The next operations by their start; `limit` of them, or fewer where many had to be looked at."""
    part, other = operation_part.alias("part"), operation_part.alias("other")
    mine, others = conditions(names, wanted, part), conditions(names, wanted, other)
    if mine is None or others is None:
        return OperationPage((), None)
    edge = _edge(database, names, wanted, after, ascending=ascending)
    earlier = exists().where(other.c.request_id == part.c.request_id, _is_earlier(other, part), _unindexed(others))
    query: Select[Any] = select(part.c.started_ns, part.c.id, part.c.request_id).where(*mine, ~earlier)
    query = _ordered(query, part, ascending=ascending)
    if after is not None:
        query = query.where(_behind(part, after, ascending=ascending))
    if edge is not None:
        query = query.where(~_behind(part, edge, ascending=ascending))
    with database.reading() as connection:
        rows = connection.execute(query.limit(limit)).all()
    parts = parts_by_request_id(database, names, [row.request_id for row in rows])
    found = tuple(Placed(Place(row.started_ns, row.id), parts[row.request_id]) for row in rows)
    return OperationPage(found, found[-1].place if limit and len(found) == limit else edge)


def _edge(
    database: Database, names: NameReader, wanted: OperationFilter, after: Place | None, *, ascending: bool
) -> Place | None:
    """The last part that this page looks at; None: the last there is, or an index tells which match."""
    look = _look(wanted)
    if look is None:
        return None
    part = operation_part.alias("part")
    query = select(part.c.started_ns, part.c.id).where(*of_time(wanted, part))
    if wanted.kind is not None:
        query = query.where(part.c.kind_id == names.id_of(wanted.kind))
    if after is not None:
        query = query.where(_behind(part, after, ascending=ascending))
    query = _ordered(query, part, ascending=ascending).offset(look - 1).limit(1)
    with database.reading() as connection:
        row = connection.execute(query).first()
    return None if row is None else Place(row.started_ns, row.id)


def _look(wanted: OperationFilter) -> int | None:
    """How many parts a page looks at; None: so many match that it needs none, or an index finds the few that do."""
    if any(one is not None for one in (wanted.instance, wanted.request_id, wanted.related)):
        return None
    if wanted.host is not None:
        return LOOK_AT_CALLS
    bounds = (wanted.min_duration_ns, wanted.max_duration_ns, wanted.min_rpcs, wanted.max_rpcs)
    own = (wanted.project_id, wanted.recording_id, wanted.statuses, *bounds)
    mixed = wanted.kind is not None and wanted.background is not None
    return LOOK if mixed or any(one is not None for one in own) else None


def _ordered(query: Select[Any], part: Part, *, ascending: bool) -> Select[Any]:
    time, number = part.c.started_ns, part.c.id
    return query.order_by(time, number) if ascending else query.order_by(time.desc(), number.desc())


def _behind(part: Part, place: Place, *, ascending: bool) -> ColumnElement[bool]:
    # Said in this way, all three databases find the place by the index on the time.
    time, number = part.c.started_ns, part.c.id
    if ascending:
        return and_(time >= place.value, or_(time > place.value, number > place.id))
    return and_(time <= place.value, or_(time < place.value, number < place.id))


def _unindexed(matching: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    # SQLite without statistics would find the other parts of a request id among all of a kind, for every part.
    return case((and_(true(), *matching), 1), else_=0) == 1


def _is_earlier(one: Part, than: Part) -> ColumnElement[bool]:
    before = one.c.started_ns < than.c.started_ns
    return or_(before, and_(one.c.started_ns == than.c.started_ns, one.c.id < than.c.id))
