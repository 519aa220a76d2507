"""What was sampled of queues, nodes and churn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, Table, and_, func, select

from rpcscope.model import ChurnEvent, FamilySample, NodeState, QueuePoll, QueueSample
from rpcscope.store.database import Database
from rpcscope.store.names import NameReader
from rpcscope.store.queue_rows import NAME_COLUMNS, Texts, churn_of, family_of, node_of, poll_of, sample_of
from rpcscope.store.schema import (
    churn_event,
    name,
    node_state,
    queue_family_sample,
    queue_poll,
    queue_sample,
    recording,
)

RECENT_NS = 7_200_000_000_000
"""What was not looked at for so long before a recording's last look is no longer there."""
_T = TypeVar("_T")


class QueueQuery:
    """The queue side of `protocol.Reader`."""

    def __init__(self, database: Database, names: NameReader) -> None:
        self._database, self._names = database, names

    def polls(self, until_ns: int | None) -> list[QueuePoll]:
        """The newest poll of each vhost of each recording, or the newest until a time."""
        return self._last(queue_poll, "vhost_id", until_ns, poll_of)

    def queues(self, from_ns: int, to_ns: int, starting: str) -> list[QueueSample]:
        """The newest sample of each queue from one time up to another, both included; only names that begin so."""
        query = _newest(queue_sample, "recording_id", "vhost_id", "queue_id", between=(from_ns, to_ns))
        if starting:
            begins = select(name.c.id).where(name.c.text.startswith(starting, autoescape=True))
            query = query.where(queue_sample.c.queue_id.in_(begins))
        return self._all(query, sample_of)

    def families(self, from_ns: int, to_ns: int) -> list[FamilySample]:
        """Samples of families from one time up to another, both included, the oldest first."""
        c = queue_family_sample.c
        query = select(queue_family_sample).where(_mine(queue_family_sample), c.at_ns.between(from_ns, to_ns))
        return self._all(query.order_by(c.at_ns, c.vhost_id, c.family_id), family_of)

    def history(self, queue: str, from_ns: int, to_ns: int) -> list[QueueSample]:
        """Samples of one queue in a time, both ends included, the oldest first."""
        number, c = self._names.id_of(queue), queue_sample.c
        query = select(queue_sample).where(_mine(queue_sample), c.at_ns.between(from_ns, to_ns), c.queue_id == number)
        return [] if not number else self._all(query.order_by(c.at_ns), sample_of)

    def nodes(self, until_ns: int | None) -> list[NodeState]:
        """The newest state of each node, or the newest until a time."""
        return self._last(node_state, "node_id", until_ns, node_of)

    def churn(self, from_ns: int, to_ns: int, limit: int) -> list[ChurnEvent]:
        """What came and went in a time, both ends included, the newest first."""
        c = churn_event.c
        query = select(churn_event).where(c.at_ns >= from_ns, c.at_ns <= to_ns)
        return self._all(query.order_by(c.at_ns.desc(), c.id.desc()).limit(limit), churn_of)

    def _last(self, table: Table, key: str, until_ns: int | None, record: Callable[[Row[Any], Texts], _T]) -> list[_T]:
        with self._database.reading() as connection:
            ends = connection.execute(_ends(table, until_ns)).all()
        # One recording at a time: planners read the whole table when asked for all of them at once.
        return [one for end in ends for one in self._all(_last(table, key, end.id, end.end_ns), record)]

    def _all(self, query: Select[Any], record: Callable[[Row[Any], Texts], _T]) -> list[_T]:
        with self._database.reading() as connection:
            result = connection.execute(query)
            columns, rows = set(NAME_COLUMNS) & set(result.keys()), list(result)
        texts = self._names.load({getattr(row, word) for word in columns for row in rows})
        return [record(row, texts) for row in rows]


def _mine(table: Table) -> ColumnElement[bool]:
    """With the recording named, all databases find the times by the primary key."""
    return table.c.recording_id.in_(select(recording.c.id))


def _newest(table: Table, *key: str, between: tuple[int, int]) -> Select[Any]:
    """The row with the last time of each key, by key."""
    columns = [table.c[word] for word in key]
    last = select(*columns, func.max(table.c.at_ns).label("last_ns")).group_by(*columns)
    found = last.where(_mine(table), table.c.at_ns.between(*between)).subquery()
    same = [table.c[word] == found.c[word] for word in key]
    return select(table).join(found, and_(*same, table.c.at_ns == found.c.last_ns)).order_by(*columns)


def _ends(table: Table, until_ns: int | None) -> Select[Any]:
    """When each recording looked last, by a seek for each; recordings that never did are left out."""
    other = table.alias("other").c
    newest = select(func.max(other.at_ns)).where(other.recording_id == recording.c.id)
    if until_ns is not None:
        newest = newest.where(other.at_ns <= until_ns)
    ends = select(recording.c.id, newest.scalar_subquery().label("end_ns")).subquery()
    return select(ends).where(ends.c.end_ns.is_not(None)).order_by(ends.c.id)


def _last(table: Table, key: str, number: int, end_ns: int) -> Select[Any]:
    """The newest rows of one recording, found in the last hours before its last look."""
    c = table.c
    mine = and_(c.recording_id == number, c.at_ns.between(end_ns - RECENT_NS, end_ns))
    found = select(c[key], func.max(c.at_ns).label("last_ns")).where(mine).group_by(c[key]).subquery()
    same = and_(c[key] == found.c[key], c.at_ns == found.c.last_ns)
    return select(table).join(found, same).where(mine).order_by(c[key])
