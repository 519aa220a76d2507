"""Long answers, page by page, each page a query of its own.

Nothing is held between pages: no connection, no lock, no snapshot, so that a reader may be slow or stop half-way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, or_

from rpcscope.store.database import Database

PAGE = 5_000


def pages(
    database: Database,
    query: Select[Any],
    time: ColumnElement[int],
    number: ColumnElement[int],
    *,
    newest_first: bool = False,
    limit: int | None = None,
) -> Iterator[list[Row[Any]]]:
    """The rows of a query by time and then by number; no more pages than `limit` rows need.

    `query` must select both columns. Rows that come in behind the page that was read last are not seen.
    """
    size = PAGE if limit is None else min(PAGE, limit)
    order = (time.desc(), number.desc()) if newest_first else (time, number)
    ordered = query.order_by(*order).limit(size)
    page = _page(database, ordered)
    read = len(page)
    while page:
        yield page
        if len(page) < size or (limit is not None and read >= limit):
            return
        last = page[-1]._mapping
        page = _page(database, ordered.where(_behind(time, number, last[time], last[number], newest_first)))
        read += len(page)


def _page(database: Database, query: Select[Any]) -> list[Row[Any]]:
    with database.reading() as connection:
        return list(connection.execute(query))


def _behind(
    time: ColumnElement[int], number: ColumnElement[int], last_time: int, last_number: int, newest_first: bool
) -> ColumnElement[bool]:
    # Said in this way, all three databases find the place by the index on the time.
    if newest_first:
        return and_(time <= last_time, or_(time < last_time, number < last_number))
    return and_(time >= last_time, or_(time > last_time, number > last_number))
