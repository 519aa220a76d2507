"""Calls, closed and open, as one ordered stream."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, bindparam, or_, select

from rpcscope.model import Call
from rpcscope.store.call_rows import NAME_COLUMNS, call_of, first_ns, open_call
from rpcscope.store.database import Database
from rpcscope.store.names import NameReader
from rpcscope.store.paging import pages
from rpcscope.store.schema import call, open_message


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls to read; None does not filter."""

    operation_ids: Collection[int] | None = None
    cause_ids: Collection[int] | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    limit: int | None = None


def calls(database: Database, names: NameReader, wanted: CallFilter) -> Iterator[Call]:
    """Closed and open calls by `first_ns` and id.

    The open ones are read first: one that closes meanwhile is then met twice, never missed, and shown once.
    """
    opened = open_calls(database, wanted)
    merged = merge(_closed(database, names, wanted), opened, key=_order)
    return islice(_once(merged, {c.id for c in opened}), wanted.limit)


def open_calls(database: Database, wanted: CallFilter) -> list[Call]:
    """Open calls by `first_ns` and id."""
    table = open_message.c
    query = _filtered(select(table.blob), open_message, table.since, wanted)
    query = query.order_by(table.since, table.id).limit(wanted.limit)
    with database.reading() as connection:
        return [open_call(blob) for blob in connection.execute(query).scalars()]


def _closed(database: Database, names: NameReader, wanted: CallFilter) -> Iterator[Call]:
    query = _filtered(select(call), call, call.c.first_ns, wanted)
    for page in pages(database, query, call.c.first_ns, call.c.id, limit=wanted.limit):
        texts = names.load({row[column] for row in page for column in NAME_COLUMNS})
        for row in page:
            yield call_of(row, texts)


def _filtered(query: Select[Any], table: Table, first: ColumnElement[int], wanted: CallFilter) -> Select[Any]:
    if wanted.since_ns is not None:
        query = query.where(first >= wanted.since_ns)
    if wanted.until_ns is not None:
        query = query.where(first < wanted.until_ns)
    pairs = (("operation_id", wanted.operation_ids), ("cause_id", wanted.cause_ids))
    ids = [_one_of(table.c[column], numbers) for column, numbers in pairs if numbers is not None]
    if ids:
        query = query.where(or_(*ids))
    return query


def _one_of(column: ColumnElement[int], numbers: Collection[int]) -> ColumnElement[bool]:
    # Written into the statement, because databases bound the number of its parameters.
    return column.in_(
        bindparam(None, sorted({int(number) for number in numbers}), expanding=True, literal_execute=True)
    )


def _order(c: Call) -> tuple[int, int]:
    return first_ns(c), c.id


def _once(merged: Iterable[Call], opened: set[int]) -> Iterator[Call]:
    shown: set[int] = set()
    for c in merged:
        if c.id in opened:
            if c.id in shown:
                continue
            shown.add(c.id)
        yield c
