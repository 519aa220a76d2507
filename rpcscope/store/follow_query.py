"""What was stored since one looked last: closed calls, each once, however long they were open.

Rows are found by their ids, which rise as calls begin. A call whose id had been given was, when one looked, either
closed or among the open ones; so what is new has a higher id, or was open then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from rpcscope.model import Call, Operation
from rpcscope.store.call_rows import NAME_COLUMNS, call_of, open_call
from rpcscope.store.database import Database
from rpcscope.store.follow_rows import Closed, Mark
from rpcscope.store.names import NameReader
from rpcscope.store.operation_rows import name_ids, operation_of
from rpcscope.store.resume import ID_BITS
from rpcscope.store.schema import call, open_message, operation_part, recording

_IDS = 500


def mark_now(database: Database) -> Mark:
    """All that is stored now is read."""
    with database.reading() as connection:
        batches = _batches(connection)
        tops = {number: _top(connection, number) for number in batches}
        return Mark(tops, batches, frozenset(_open_ids(connection)))


def closed_since(database: Database, names: NameReader, mark: Mark, most: int) -> Closed:
    """See `protocol.Reader.closed_since`."""
    with database.reading() as connection:
        batches = _batches(connection)
        news = [number for number, count in batches.items() if mark.batches.get(number) != count]
        # In this order, so that what closes meanwhile is met twice and never missed.
        ends = {number: _top(connection, number) for number in news}
        opened = set(_open_ids(connection))
        rows: list[Row[Any]] = _by_id(connection, mark.opened - opened)
        tops, read = dict(mark.tops), dict(mark.batches)
        for number in news:
            left = most - len(rows)
            page = _behind(connection, mark.tops.get(number, number << ID_BITS), ends[number], left)
            is_whole = len(page) < max(left, 0)
            rows += page
            before = tops.get(number, number << ID_BITS)
            tops[number] = max(before, ends[number] if is_whole else page[-1].id if page else 0)
            if is_whole:
                read[number] = batches[number]
        met = {row.id: row for row in rows}
        known = {number for number in opened - met.keys() if number <= tops.get(number >> ID_BITS, 0)}
        fresh = _open_calls(connection, known - mark.opened)
    texts = names.load({row[column] for row in rows for column in NAME_COLUMNS})
    return Closed(
        calls=tuple(call_of(row, texts) for row in met.values()),
        opened=tuple(fresh),
        settled=tuple(mark.opened - known),
        mark=Mark(tops, read, frozenset(known)),
        is_all=all(read.get(number) == count for number, count in batches.items()),
    )


def operations_by_id(database: Database, names: NameReader, ids: Collection[int]) -> list[Operation]:
    """Parts with these ids; unknown ids are left out."""
    rows: list[Row[Any]] = []
    with database.reading() as connection:
        for some in _some(ids):
            rows += connection.execute(select(operation_part).where(operation_part.c.id.in_(some))).all()
    texts = names.load(name_ids(rows))
    return [operation_of(row, texts) for row in rows]


def _batches(connection: Connection) -> dict[int, int]:
    rows = connection.execute(select(recording.c.id, recording.c.batches).order_by(recording.c.id))
    return {row.id: row.batches for row in rows}


def _top(connection: Connection, number: int) -> int:
    """The highest id of a call of a recording; what is below all of them when there is none."""
    low, high = number << ID_BITS, (number + 1) << ID_BITS
    found = [low]
    for column in (call.c.id, open_message.c.id):
        found.append(connection.execute(select(func.max(column)).where(column >= low, column < high)).scalar() or low)
    return max(found)


def _open_ids(connection: Connection) -> Iterable[int]:
    return connection.execute(select(open_message.c.id)).scalars()


def _open_calls(connection: Connection, ids: Collection[int]) -> list[Call]:
    """Those of these that are still open; what closed meanwhile is met as closed."""
    query = select(open_message.c.blob)
    found = [connection.execute(query.where(open_message.c.id.in_(some))).scalars().all() for some in _some(ids)]
    return [open_call(blob) for some in found for blob in some]


def _by_id(connection: Connection, ids: Collection[int]) -> list[Row[Any]]:
    return [row for some in _some(ids) for row in connection.execute(select(call).where(call.c.id.in_(some)))]


def _behind(connection: Connection, top: int, end: int, most: int) -> list[Row[Any]]:
    query: Select[Any] = select(call).where(call.c.id > top, call.c.id <= end).order_by(call.c.id).limit(most)
    return list(connection.execute(query)) if most > 0 else []


def _some(ids: Collection[int]) -> list[list[int]]:
    ordered = sorted(ids)
    return [ordered[start : start + _IDS] for start in range(0, len(ordered), _IDS)]
