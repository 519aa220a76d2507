"""Queues over a time in equal steps, so that a week is as little to draw as an hour; and queues nobody consumes.

Samples are found by the time in their primary key: what a question costs grows with the samples of its time, about a
microsecond each in SQLite.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, Table, and_, case, func, literal, select

from rpcscope.store.database import Database
from rpcscope.store.depth_rows import MEASURES, Abandoned, PollStep, QueueStep, abandoned_of, poll_step_of, step_of
from rpcscope.store.names import NameReader
from rpcscope.store.queue_rows import NAME_COLUMNS
from rpcscope.store.schema import name, queue_family_sample, queue_poll, queue_sample, recording

_KEY = ("recording_id", "vhost_id", "queue_id")


class DepthQuery:
    """The side of `protocol.Reader` that tells of queues step by step."""

    def __init__(self, database: Database, names: NameReader) -> None:
        self._database, self._names = database, names

    def polls(self, from_ns: int, to_ns: int, step_ns: int) -> list[PollStep]:
        """Polls of each vhost in steps, by vhost and time."""
        c = queue_poll.c
        step = ((c.at_ns - from_ns) // step_ns).label("step")
        query = select(
            c.vhost_id, step, func.min(c.at_ns).label("first_ns"), func.max(c.at_ns).label("last_ns"),
            func.max(c.interval_ns).label("interval_ns"), func.max(c.took_ns).label("took_ns"),
        )  # fmt: skip
        query = query.where(_between(queue_poll, from_ns, to_ns)).group_by(c.vhost_id, "step")
        return [poll_step_of(row, texts) for row, texts in self._told(query.order_by(c.vhost_id, "step"))]

    def families(self, from_ns: int, to_ns: int) -> list[str]:
        """Families by the most messages that lay in them, the deepest first."""
        table = queue_family_sample
        most = func.coalesce(func.max(_depth(table)), 0)
        query = select(table.c.family_id).where(_between(table, from_ns, to_ns)).group_by(table.c.family_id)
        return [texts[row.family_id] for row, texts in self._told(query.order_by(most.desc(), table.c.family_id))]

    def family_steps(self, from_ns: int, to_ns: int, step_ns: int, families: Collection[str]) -> list[QueueStep]:
        """Some families in steps, by recording, vhost, family and time."""
        key = ("recording_id", "vhost_id", "family_id")
        grouped = self._grouped(queue_family_sample, key, families, from_ns, to_ns, step_ns)
        rows = self._told(grouped.order_by(*key, "step")) if families else []
        return [step_of(row, texts, "family_id", has_end=False) for row, texts in rows]

    def family_sums(self, from_ns: int, to_ns: int, step_ns: int, without: Collection[str]) -> list[QueueStep]:
        """All other families together in steps, by recording, vhost and time: of each look the sum, of these the most.

        What is unknown of some families is the sum of the others.
        """
        c = queue_family_sample.c
        ids = [number for text in without if (number := self._names.id_of(text))]
        look = select(
            c.recording_id, c.vhost_id, c.at_ns, func.sum(_depth(queue_family_sample)).label("depth"),
            func.sum(c.consumers).label("consumers"), *(func.sum(c[word]).label(word) for word in MEASURES),
        )  # fmt: skip
        look = look.where(_between(queue_family_sample, from_ns, to_ns), c.family_id.not_in(ids))
        sums = look.group_by(c.recording_id, c.vhost_id, c.at_ns).subquery()
        grouped = select(
            sums.c.recording_id,
            sums.c.vhost_id,
            literal(0).label("family_id"),
            *_extremes(sums, sums.c.depth, from_ns, step_ns),
        ).group_by(sums.c.recording_id, sums.c.vhost_id, "step")
        rows = self._told(grouped.order_by(sums.c.recording_id, sums.c.vhost_id, "step"))
        return [step_of(row, texts, "family_id", has_end=False) for row, texts in rows]

    def queue_steps(self, from_ns: int, to_ns: int, step_ns: int, queues: Collection[str]) -> list[QueueStep]:
        """Some queues in steps, by recording, vhost, queue and time. What ends a step holds until the next."""
        found = self._grouped(queue_sample, _KEY, queues, from_ns, to_ns, step_ns).subquery()
        query = select(queue_sample, *(found.c[word] for word in found.c.keys() if word not in _KEY))  # noqa: SIM118
        query = query.join(found, _same(found, _KEY)).order_by(*(queue_sample.c[word] for word in (*_KEY, "at_ns")))
        return [step_of(row, texts, "queue_id", has_end=True) for row, texts in self._told(query)] if queues else []

    def deepest(self, from_ns: int, to_ns: int, starting: str, limit: int) -> list[str]:
        """Queues by the most messages that lay in them; those that were always empty are left out."""
        c = queue_sample.c
        most = func.max(_depth(queue_sample))
        query = select(c.queue_id).where(_between(queue_sample, from_ns, to_ns), _starts(starting))
        query = query.group_by(c.queue_id).having(most > 0).order_by(most.desc(), c.queue_id).limit(limit)
        return [texts[row.queue_id] for row, texts in self._told(query)]

    def abandoned(self, from_ns: int, to_ns: int, limit: int) -> list[Abandoned]:
        """Queues whose newest sample of a time says that nobody consumes them, the deepest first."""
        c = queue_sample.c
        columns = [c[word] for word in _KEY]
        newest = select(
            *columns, func.max(c.at_ns).label("last_ns"), func.min(c.at_ns).label("first_ns"),
            func.max(case((c.consumers > 0, c.at_ns))).label("consumed_ns"),
        )  # fmt: skip
        found = newest.where(_between(queue_sample, from_ns, to_ns)).group_by(*columns).subquery()
        query = select(queue_sample, found.c.first_ns, found.c.consumed_ns).join(found, _same(found, _KEY))
        deepest = func.coalesce(_depth(queue_sample), 0).desc()
        rows = self._told(query.where(c.consumers == 0).order_by(deepest, c.vhost_id, c.queue_id).limit(limit))
        lost = self._lost(from_ns, to_ns, {row.queue_id for row, _ in rows}) if rows else {}
        return [abandoned_of(row, texts, lost.get(tuple(getattr(row, word) for word in _KEY))) for row, texts in rows]

    def _lost(self, from_ns: int, to_ns: int, queue_ids: Collection[int]) -> dict[tuple[int, ...], int]:
        """A sample holds until the next one: consumers went when the first sample without any was taken."""
        c = queue_sample.c
        columns = [c[word] for word in _KEY]
        before = func.lag(c.consumers).over(partition_by=columns, order_by=c.at_ns).label("before")
        mine = select(*columns, c.at_ns, c.consumers, before).where(
            _between(queue_sample, from_ns, to_ns), c.queue_id.in_(queue_ids)
        )
        found = mine.subquery().c
        query = select(*(found[word] for word in _KEY), func.max(found.at_ns)).where(
            found.consumers == 0, found.before > 0
        )
        with self._database.reading() as connection:
            rows = connection.execute(query.group_by(*(found[word] for word in _KEY))).all()
        return {tuple(row[:-1]): row[-1] for row in rows}

    def _grouped(
        self, table: Table, key: tuple[str, ...], wanted: Collection[str], from_ns: int, to_ns: int, step_ns: int
    ) -> Select[Any]:
        """The extremes of each step."""
        ids = [number for text in wanted if (number := self._names.id_of(text))]
        columns = [table.c[word] for word in key]
        query = select(*columns, *_extremes(table, _depth(table), from_ns, step_ns))
        query = query.where(_between(table, from_ns, to_ns), table.c[key[-1]].in_(ids))
        return query.group_by(*columns, "step")

    def _told(self, query: Select[Any]) -> list[tuple[Any, dict[int, str]]]:
        with self._database.reading() as connection:
            result = connection.execute(query)
            columns, rows = set(NAME_COLUMNS) & set(result.keys()), list(result)
        texts = self._names.load({getattr(row, word) for word in columns for row in rows})
        return [(row, texts) for row in rows]


def _extremes(
    table: Table | Subquery, depth: ColumnElement[int], from_ns: int, step_ns: int
) -> Iterator[ColumnElement[Any]]:
    c = table.c
    yield ((c.at_ns - from_ns) // step_ns).label("step")
    yield func.min(c.at_ns).label("first_ns")
    yield func.max(c.at_ns).label("last_ns")
    yield func.max(depth).label("most")
    yield func.min(c.consumers).label("least_consumers")
    yield from (func.max(c[word]).label(f"most_{word}") for word in MEASURES)


def _between(table: Table, from_ns: int, to_ns: int) -> ColumnElement[bool]:
    # With the recording named, all databases find the times by the primary key.
    return and_(table.c.recording_id.in_(select(recording.c.id)), table.c.at_ns.between(from_ns, to_ns))


def _starts(text: str) -> ColumnElement[bool]:
    return queue_sample.c.queue_id.in_(select(name.c.id).where(name.c.text.startswith(text, autoescape=True)))


def _depth(table: Table) -> ColumnElement[int]:
    """Ready and unacknowledged; NULL when both are."""
    ready, unacked = table.c.ready, table.c.unacked
    known = func.coalesce(ready, 0) + func.coalesce(unacked, 0)
    return case((and_(ready.is_(None), unacked.is_(None)), None), else_=known)


def _same(found: Subquery, key: tuple[str, ...]) -> ColumnElement[bool]:
    c = queue_sample.c
    return and_(*(c[word] == found.c[word] for word in key), c.at_ns == found.c.last_ns)
