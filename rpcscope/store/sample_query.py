"""Samples of queues and of work in flight, all of a time, as streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, Table, select

from rpcscope.model import InFlightSample, QueueSample
from rpcscope.store.database import Database
from rpcscope.store.flight_rows import in_flight_of
from rpcscope.store.names import NameReader
from rpcscope.store.queue_rows import NAME_COLUMNS, sample_of
from rpcscope.store.schema import in_flight_sample, queue_sample, recording

PAGE = 5_000


def queue_samples(database: Database, names: NameReader, from_ns: int, to_ns: int) -> Iterator[tuple[int, QueueSample]]:
    """See `protocol.Reader.queue_samples`."""
    texts = [column for column in NAME_COLUMNS if column in queue_sample.c]
    for page in _by_time(database, queue_sample, from_ns, to_ns):
        known = names.load({getattr(row, column) for row in page for column in texts})
        for row in page:
            yield row.recording_id, sample_of(row, known)


def in_flight_samples(
    database: Database, names: NameReader, from_ns: int, to_ns: int
) -> Iterator[tuple[int, InFlightSample]]:
    """See `protocol.Reader.in_flight_samples`."""
    for page in _by_time(database, in_flight_sample, from_ns, to_ns):
        known = names.load({number for row in page for number in (row.queue_id, row.method_id)})
        for row in page:
            yield row.recording_id, in_flight_of(row, known)


def _by_time(database: Database, table: Table, from_ns: int, to_ns: int) -> Iterator[list[Row[Any]]]:
    """Rows of each recording by time, page by page; a page ends where a time does, so that none is cut in two."""
    with database.reading() as connection:
        numbers = list(connection.execute(select(recording.c.id).order_by(recording.c.id)).scalars())
    c = table.c
    for number in numbers:
        begin_ns, size = from_ns, PAGE
        while True:
            query = select(table).where(c.recording_id == number, c.at_ns >= begin_ns, c.at_ns < to_ns)
            with database.reading() as connection:
                rows = list(connection.execute(query.order_by(*table.primary_key.columns).limit(size)))
            if len(rows) < size:
                yield rows
                break
            last_ns = rows[-1].at_ns
            whole = [row for row in rows if row.at_ns < last_ns]
            if whole:
                yield whole
                begin_ns, size = last_ns, PAGE
            else:
                size *= 2
