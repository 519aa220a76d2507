"""Gaps by the recording whose tap was blind."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import select

from rpcscope.model import Gap
from rpcscope.store.database import Database
from rpcscope.store.recording_rows import gap_of
from rpcscope.store.schema import gap


def gaps_by_recording(database: Database, from_ns: int | None, to_ns: int | None) -> dict[int, list[Gap]]:
    """Gaps that touch a time, each recording's by their beginning."""
    query = select(gap).order_by(gap.c.from_ns, gap.c.id)
    if from_ns is not None:
        query = query.where(gap.c.to_ns >= from_ns)
    if to_ns is not None:
        query = query.where(gap.c.from_ns <= to_ns)
    found: dict[int, list[Gap]] = defaultdict(list)
    with database.reading() as connection:
        for row in connection.execute(query):
            found[row.recording_id].append(gap_of(row))
    return dict(found)
