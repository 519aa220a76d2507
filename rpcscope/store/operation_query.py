"""Parts of operations, found by what people know of an operation."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select

from rpcscope.model import Operation
from rpcscope.store.database import Database
from rpcscope.store.names import NameReader
from rpcscope.store.operation_rows import OPERATION_NAMES, operation_of
from rpcscope.store.paging import pages
from rpcscope.store.protocol import OperationFilter
from rpcscope.store.resume import ID_BITS
from rpcscope.store.schema import call, operation_instance, operation_part, process
from rpcscope.store.text import fit

_IDS_A_QUERY = 1_000
_part = operation_part.c


def operations(database: Database, names: NameReader, wanted: OperationFilter) -> Iterator[Operation]:
    """Every part of the request ids that match, newest first."""
    conditions = _conditions(names, wanted)
    if conditions is None:
        return iter(())
    if wanted.limit is None and not wanted.offset:
        return _parts(database, names, _all_parts(conditions))
    return parts_of(database, names, _request_ids(database, conditions, wanted))


def _conditions(names: NameReader, wanted: OperationFilter) -> list[ColumnElement[bool]] | None:
    """What a part must be; None when nothing can be it, because a name of the filter was never stored."""
    found: list[ColumnElement[bool]] = []
    for text, column in ((wanted.kind, _part.kind_id), (wanted.host, None)):
        number = None if text is None else names.id_of(text)
        if text is not None and number is None:
            return None
        if number is not None:
            found.append(_touches(number) if column is None else column == number)
    return found + _plain(wanted)


def _plain(wanted: OperationFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.instance is not None:
        same = select(operation_instance.c.operation_id).where(operation_instance.c.instance == fit(wanted.instance))
        found.append(_part.id.in_(same))
    if wanted.request_id is not None:
        request_id = fit(wanted.request_id)
        found.append(or_(_part.request_id == request_id, _part.global_request_id == request_id))
    if wanted.background is not None:
        found.append(_part.background.is_(wanted.background))
    if wanted.project_id is not None:
        found.append(_part.project_id == fit(wanted.project_id))
    if wanted.recording_id is not None:
        found += [_part.id >= wanted.recording_id << ID_BITS, _part.id < (wanted.recording_id + 1) << ID_BITS]
    if wanted.since_ns is not None:
        found.append(_part.started_ns >= wanted.since_ns)
    if wanted.until_ns is not None:
        found.append(_part.started_ns < wanted.until_ns)
    return found


def _touches(host: int) -> ColumnElement[bool]:
    """The host is named in the part, or a call of the part was sent to it or worked on by it."""
    there = select(process.c.id).where(process.c.host_id == host)
    went = exists().where(call.c.operation_id == _part.id, or_(call.c.server_id == host, call.c.to_process.in_(there)))
    return or_(_part.source_host_id == host, _part.dest_host_id == host, _part.owed_host_id == host, went)


def _all_parts(conditions: list[ColumnElement[bool]]) -> Select[Any]:
    if not conditions:
        return select(operation_part)
    return select(operation_part).where(_part.request_id.in_(select(_part.request_id).where(*conditions)))


def _request_ids(database: Database, conditions: list[ColumnElement[bool]], wanted: OperationFilter) -> list[str]:
    newest = func.max(_part.started_ns)
    query = select(_part.request_id).where(*conditions).group_by(_part.request_id)
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


def _parts(database: Database, names: NameReader, query: Select[Any]) -> Iterator[Operation]:
    for page in pages(database, query, _part.started_ns, _part.id, newest_first=True):
        texts = names.load({getattr(row, column) for row in page for column in OPERATION_NAMES})
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
