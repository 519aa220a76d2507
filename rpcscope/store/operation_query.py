"""Parts of operations, found by what people know of an operation."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from rpcscope.model import Operation
from rpcscope.store.database import Database
from rpcscope.store.names import NameReader
from rpcscope.store.operation_conditions import conditions
from rpcscope.store.operation_rows import name_ids, operation_of
from rpcscope.store.paging import pages
from rpcscope.store.protocol import OperationFilter
from rpcscope.store.schema import operation_part

_IDS_A_QUERY = 1_000
_part = operation_part.c


def operations(database: Database, names: NameReader, wanted: OperationFilter) -> Iterator[Operation]:
    """Every part of the request ids that match, newest first."""
    matching = conditions(names, wanted, operation_part)
    if matching is None:
        return iter(())
    if wanted.limit is None and not wanted.offset:
        return _parts(database, names, _all_parts(matching))
    return parts_of(database, names, _request_ids(database, matching, wanted))


def _all_parts(matching: list[ColumnElement[bool]]) -> Select[Any]:
    if not matching:
        return select(operation_part)
    return select(operation_part).where(_part.request_id.in_(select(_part.request_id).where(*matching)))


def _request_ids(database: Database, matching: list[ColumnElement[bool]], wanted: OperationFilter) -> list[str]:
    newest = func.max(_part.started_ns)
    query = select(_part.request_id).where(*matching).group_by(_part.request_id)
    query = query.order_by(newest.desc(), _part.request_id).offset(wanted.offset or None)
    # SQLite and MariaDB know no OFFSET without a LIMIT.
    query = query.limit(2**62 if wanted.limit is None else wanted.limit)
    with database.reading() as connection:
        return list(connection.execute(query).scalars())


def parts_of(database: Database, names: NameReader, request_ids: list[str]) -> Iterator[Operation]:
    """Every part of these request ids, newest first."""
    parts: list[Operation] = []
    for start in range(0, len(request_ids), _IDS_A_QUERY):
        chosen = _part.request_id.in_(request_ids[start : start + _IDS_A_QUERY])
        parts.extend(_parts(database, names, select(operation_part).where(chosen)))
    return iter(sorted(parts, key=lambda part: (part.started_ns, part.id), reverse=True))


def parts_by_request_id(
    database: Database, names: NameReader, request_ids: list[str]
) -> dict[str, tuple[Operation, ...]]:
    """The parts of each of these request ids, newest first."""
    found: dict[str, list[Operation]] = {}
    for part in parts_of(database, names, request_ids):
        found.setdefault(part.request_id, []).append(part)
    return {request_id: tuple(parts) for request_id, parts in found.items()}


def _parts(database: Database, names: NameReader, query: Select[Any]) -> Iterator[Operation]:
    for page in pages(database, query, _part.started_ns, _part.id, newest_first=True):
        texts = names.load(name_ids(page))
        for row in page:
            yield operation_of(row, texts)


def request_ids(database: Database, ids: Collection[int]) -> dict[int, str]:
    """Request ids by Operation.id; unknown ids are left out."""
    found: dict[int, str] = {}
    ordered = sorted(ids)
    with database.reading() as connection:
        for start in range(0, len(ordered), 500):
            chosen = _part.id.in_(ordered[start : start + 500])
            rows = connection.execute(select(_part.id, _part.request_id).where(chosen))
            found.update((row.id, row.request_id) for row in rows)
    return found
