"""Queues by their type and durability, as they were sampled in a time."""

from __future__ import annotations

from sqlalchemy import func, select

from rpcscope.store.database import Database
from rpcscope.store.names import NameReader
from rpcscope.store.schema import queue_sample, recording
from rpcscope.store.type_rows import QueueTypes

_c = queue_sample.c
_KEY = (_c.vhost_id, _c.type_id, _c.durable)


def queue_types(database: Database, names: NameReader, from_ns: int, to_ns: int) -> list[QueueTypes]:
    """See `protocol.Reader.queue_types`."""
    # With the recording named, all databases find the times by the primary key.
    mine = _c.recording_id.in_(select(recording.c.id))
    counts = func.count(_c.queue_id.distinct()).label("queues"), func.min(_c.queue_id).label("example_id")
    query = select(*_KEY, *counts).where(mine, _c.at_ns.between(from_ns, to_ns)).group_by(*_KEY)
    with database.reading() as connection:
        rows = list(connection.execute(query.order_by(*_KEY)))
    texts = names.load({number for row in rows for number in (row.vhost_id, row.type_id, row.example_id)})
    return [
        QueueTypes(
            vhost=texts[row.vhost_id],
            type=texts[row.type_id],
            durable=row.durable,
            queues=row.queues,
            example=texts[row.example_id],
        )
        for row in rows
    ]
