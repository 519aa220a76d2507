"""Pages of operations by how long they took or how many messages they made.

No index has these: every operation that matches is read for each page, a few microseconds each.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, cast, func, or_, select

from rpcscope.store.database import Database
from rpcscope.store.names import NameReader
from rpcscope.store.operation_conditions import conditions, counted, of_time
from rpcscope.store.operation_query import parts_by_request_id
from rpcscope.store.places import OperationOrder, OperationPage, Place, Placed
from rpcscope.store.protocol import OperationFilter
from rpcscope.store.schema import TALLY, operation_part

_part = operation_part.c
_MESSAGES = tuple(word for word in TALLY if word not in ("copies", "bytes"))


def by_value(
    database: Database,
    names: NameReader,
    wanted: OperationFilter,
    order: OperationOrder,
    after: Place | None,
    limit: int,
    *,
    ascending: bool,
) -> OperationPage:
    """The next operations by a value of their parts added up; those without one are left out."""
    matching = conditions(names, wanted, operation_part)
    if matching is None:
        return OperationPage((), None)
    value, number = _value(order), func.max(_part.id)
    query = select(_part.request_id, value.label("value"), number.label("number"))
    if len(matching) == len(of_time(wanted, operation_part)):
        query = query.where(*matching)
    else:
        query = query.where(_part.request_id.in_(select(_part.request_id).where(*matching)))
    query = query.group_by(_part.request_id).having(value.is_not(None), *_bounds(wanted))
    if after is not None:
        query = query.having(_behind(value, number, after, ascending=ascending))
    query = query.order_by(value, number) if ascending else query.order_by(value.desc(), number.desc())
    with database.reading() as connection:
        rows = connection.execute(query.limit(limit)).all()
    parts = parts_by_request_id(database, names, [row.request_id for row in rows])
    found = tuple(Placed(Place(int(row.value), row.number), parts[row.request_id]) for row in rows)
    return OperationPage(found, found[-1].place if limit and len(found) == limit else None)


def _value(order: OperationOrder) -> ColumnElement[Any]:
    if order is OperationOrder.DURATION:
        return func.max(_part.finished_ns) - func.min(_part.started_ns)
    if order is OperationOrder.STARTED:
        return func.min(_part.started_ns)
    kinds = ("calls", "casts", "fanouts") if order is OperationOrder.RPCS else _MESSAGES
    return cast(func.sum(counted(operation_part, *kinds)), BigInteger)


def _bounds(wanted: OperationFilter) -> list[ColumnElement[bool]]:
    lasted, rpcs = _value(OperationOrder.DURATION), _value(OperationOrder.RPCS)
    pairs = ((lasted, wanted.min_duration_ns, wanted.max_duration_ns), (rpcs, wanted.min_rpcs, wanted.max_rpcs))
    least = [value >= bound for value, bound, _ in pairs if bound is not None]
    return least + [value <= bound for value, _, bound in pairs if bound is not None]


def _behind(
    value: ColumnElement[Any], number: ColumnElement[Any], place: Place, *, ascending: bool
) -> ColumnElement[bool]:
    if ascending:
        return or_(value > place.value, and_(value == place.value, number > place.id))
    return or_(value < place.value, and_(value == place.value, number < place.id))
