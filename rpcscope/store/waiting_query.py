"""What was published and never seen delivered, and what kind of operation it was for."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import and_, or_, select

from rpcscope.model import Call, MessageKind
from rpcscope.store.call_rows import NAME_COLUMNS, call_of
from rpcscope.store.database import Database
from rpcscope.store.names import NameReader
from rpcscope.store.operation_query import request_ids
from rpcscope.store.paging import pages
from rpcscope.store.schema import call, operation_part

_CHUNK = 500
_QUEUED = [int(kind) for kind in (MessageKind.REQUEST, MessageKind.CAST, MessageKind.NOTIFICATION)]
_c, _part = call.c, operation_part.c


def undelivered(
    database: Database, names: NameReader, topics: Collection[str], since_ns: int, limit: int
) -> tuple[list[Call], bool]:
    """Closed calls to topics, published since a time and never seen delivered or answered, the oldest first.

    What was delivered after it was closed has another part that says so: it is left out. The second is False when
    there were more rows to look at than `limit`.
    """
    waiting: dict[str, Call] = {}
    looked_at = 0
    for looked_at, one in enumerate(_parts(database, names, topics, since_ns, limit), start=1):  # noqa: B007
        if one.publishes and one.delivered_ns is None and one.replied_ns is None:
            waiting.setdefault(one.unique_id, one)
        elif one.delivered_ns is not None or one.replied_ns is not None:
            waiting.pop(one.unique_id, None)
    return list(waiting.values()), looked_at < limit


def _parts(database: Database, names: NameReader, topics: Collection[str], since_ns: int, limit: int) -> Iterator[Call]:
    """What nobody took, and later parts of what somebody took after all: these have no publish and higher ids."""
    ids = [number for topic in topics if (number := names.id_of(topic)) is not None]
    query = select(call).where(_c.first_ns >= since_ns, _c.topic_id.in_(ids), _c.kind.in_(_QUEUED))
    silent = and_(_c.published_ns.is_not(None), _c.delivered_ns.is_(None), _c.replied_ns.is_(None))
    for page in pages(database, query.where(or_(silent, _c.publishes == 0)), _c.first_ns, _c.id, limit=limit):
        texts = names.load({row[column] for row in page for column in NAME_COLUMNS})
        for row in page:
            yield call_of(row, texts)


def operation_kinds(database: Database, names: NameReader, ids: Collection[int]) -> dict[int, str]:
    """Kinds by Operation.id, as the surest part of the same request id knows it; unknown ids are left out."""
    requested = request_ids(database, ids)
    kinds = _kinds_of(database, names, sorted(set(requested.values()) - {""}))
    return {number: kinds.get(request_id, "") for number, request_id in requested.items()}


def _kinds_of(database: Database, names: NameReader, wanted: list[str]) -> dict[str, str]:
    surest: dict[str, tuple[int, int]] = {}
    with database.reading() as connection:
        for start in range(0, len(wanted), _CHUNK):
            chosen = _part.request_id.in_(wanted[start : start + _CHUNK])
            for row in connection.execute(select(_part.request_id, _part.kind_rank, _part.kind_id).where(chosen)):
                found = (row.kind_rank, row.kind_id)
                surest[row.request_id] = max(surest.get(row.request_id, found), found)
    texts = names.load({kind_id for _, kind_id in surest.values()})
    return {request_id: texts[kind_id] for request_id, (_, kind_id) in surest.items()}
