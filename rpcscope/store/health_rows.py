"""A recorder's own health and its gaps: one row a recording, written over."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, select

from rpcscope.model import GapCause
from rpcscope.store.database import Database
from rpcscope.store.protocol import GapTotal, RecorderHealth
from rpcscope.store.schema import gap, recorder_health
from rpcscope.store.text import fit
from rpcscope.store.upsert import upsert

_AS_THEY_ARE = ("recording_id", "at_ns", "since_ns", "pid", "stored_ns", "backlog")
_MAYBE = ("lag_ns", "rss_bytes", "nodes_traced", "nodes")


def put_health(database: Database, health: RecorderHealth) -> None:
    """Replaces what the recorder said before."""
    row: dict[str, Any] = {name: getattr(health, name) for name in (*_AS_THEY_ARE, *_MAYBE)}
    row |= {
        "host": fit(health.host),
        "events_milli": round(health.events_rate * 1000),
        "cpu_milli": round(health.cpu_share * 1000),
    }
    with database.writing() as connection:
        upsert(connection, recorder_health, [row], "recording_id")


def health_by_recording(database: Database) -> list[RecorderHealth]:
    """What each recorder said last, by its recording."""
    with database.reading() as connection:
        rows = connection.execute(select(recorder_health).order_by(recorder_health.c.recording_id)).all()
    return [_health_of(row) for row in rows]


def _health_of(row: Row[Any]) -> RecorderHealth:
    return RecorderHealth(
        **{name: getattr(row, name) for name in (*_AS_THEY_ARE, *_MAYBE)},
        host=row.host,
        events_rate=row.events_milli / 1000,
        cpu_share=row.cpu_milli / 1000,
    )


def gap_totals(database: Database) -> list[GapTotal]:
    """The gaps of each recording added up by their cause."""
    key = (gap.c.recording_id, gap.c.cause)
    query = select(
        *key,
        func.count(),
        func.sum(gap.c.to_ns - gap.c.from_ns),
        func.sum(gap.c.estimate),
        func.count(gap.c.estimate),
    )
    with database.reading() as connection:
        rows = connection.execute(query.group_by(*key).order_by(*key)).all()
    return [
        GapTotal(
            recording_id=number,
            cause=GapCause(cause),
            gaps=gaps,
            blind_ns=int(blind_ns),
            estimate=int(estimate or 0),
            unknown=gaps - estimated,
        )
        for number, cause, gaps, blind_ns, estimate, estimated in rows
    ]
