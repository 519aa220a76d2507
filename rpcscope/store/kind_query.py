"""The newest operations of a kind, by its index alone."""

from __future__ import annotations

from sqlalchemy import select

from rpcscope.model import Operation
from rpcscope.store.database import Database
from rpcscope.store.names import NameReader
from rpcscope.store.operation_query import parts_of
from rpcscope.store.schema import operation_part

_part = operation_part.c


def newest_of_kind(database: Database, names: NameReader, kind: str, limit: int) -> list[Operation]:
    """Every part of the operations of which the newest parts of a kind are; newest first."""
    number = names.id_of(kind)
    if number is None:
        return []
    query = select(_part.request_id).where(_part.kind_id == number).order_by(_part.started_ns.desc()).limit(limit)
    with database.reading() as connection:
        request_ids = list(dict.fromkeys(connection.execute(query).scalars()))
    return list(parts_of(database, names, request_ids))
