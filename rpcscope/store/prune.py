"""Retention: removes what is old, in transactions so short that a recorder hardly waits.

Names go last. A recorder may hold the id of a name that no row uses, so the dictionary has epochs: prune begins a
new one, which makes every writer look its names up again and mark them with the new epoch. A name that still
carries an older one, and that no row refers to after that moment, is not used and can not come into use.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, delete, exists, or_, select, update

from rpcscope.model import Status
from rpcscope.store.database import Database
from rpcscope.store.names import EPOCH
from rpcscope.store.schema import (
    call,
    call_account,
    churn_event,
    flight_trigger,
    gap,
    in_flight_sample,
    layout,
    migration_progress,
    name,
    node_state,
    notice,
    open_message,
    operation_instance,
    operation_part,
    process,
    queue_family_sample,
    queue_poll,
    queue_sample,
    recording,
    rpcscope_meta,
    run,
    tap_phase,
)

CHUNK = 2_000  # rows that one transaction removes
OPERATIONS = 100  # whose calls are removed together
_SAMPLED = (queue_poll, queue_sample, queue_family_sample, node_state, in_flight_sample)
_TOLD = (notice, migration_progress)
_NAMED = (call, call_account, operation_part, process, *_SAMPLED, churn_event, layout)


def prune(database: Database, before_ns: int, unfinished_before_ns: int | None = None) -> dict[str, int]:
    """Removes what ended before a time; returns deleted rows by table. See `protocol.Writer.prune`."""
    tables = (operation_part, operation_instance, call, call_account)
    deleted: Counter[str] = Counter({table.name: 0 for table in tables})
    unfinished_ns = before_ns if unfinished_before_ns is None else unfinished_before_ns
    _operations(database, _old_operations(before_ns, unfinished_ns), deleted)
    _leftovers(database, before_ns, deleted)
    abandoned = select(open_message.c.id).where(open_message.c.since < unfinished_ns)
    _repeat(database, deleted, abandoned, open_message.c.id)
    _repeat(database, deleted, _accounts_alone(before_ns), call_account.c.call_id)
    _samples(database, before_ns, deleted)
    _names(database, deleted)
    return dict(deleted)


def _operations(database: Database, query: Select[int], deleted: Counter[str]) -> None:
    """Calls first and their operation last, so that a stop in between leaves work for the next time, not orphans."""
    while ids := _ids(database, query):
        _repeat(database, deleted, select(call.c.id).where(call.c.operation_id.in_(ids)), call.c.id)
        for table in _TOLD:
            _repeat(database, deleted, select(table.c.call_id).where(table.c.operation_id.in_(ids)), table.c.call_id)
        with database.writing() as connection:
            deleted[operation_instance.name] += _delete(connection, operation_instance.c.operation_id, ids)
            deleted[operation_part.name] += _delete(connection, operation_part.c.id, ids)


def _old_operations(before_ns: int, unfinished_ns: int) -> Select[int]:
    other = operation_part.alias("other")
    runs = and_(other.c.status == int(Status.RUNNING), other.c.last_ns >= unfinished_ns)
    recent = or_(other.c.last_ns >= before_ns, runs)
    alive = exists().where(other.c.request_id == operation_part.c.request_id, recent)
    # The part that gathers what has no request id is shared by nothing.
    whole = or_(operation_part.c.request_id == "", ~alive)
    return select(operation_part.c.id).where(operation_part.c.last_ns < before_ns, whole).limit(OPERATIONS)


def _leftovers(database: Database, before_ns: int, deleted: Counter[str]) -> None:
    nameless = select(operation_part.c.id).where(operation_part.c.request_id == "")
    loose = select(call.c.id).where(
        or_(call.c.operation_id == 0, call.c.operation_id.in_(nameless)), call.c.last_ns < before_ns
    )
    _repeat(database, deleted, loose, call.c.id)
    _repeat(database, deleted, _orphans(before_ns), call.c.id)
    _repeat(database, deleted, select(gap.c.id).where(gap.c.to_ns < before_ns), gap.c.id)
    for table in _TOLD:
        _repeat(database, deleted, _told_alone(table, nameless, before_ns), table.c.call_id)
    for table in (churn_event, flight_trigger):
        _repeat(database, deleted, select(table.c.id).where(table.c.at_ns < before_ns), table.c.id)
    _repeat(database, deleted, _phases_over(before_ns), tap_phase.c.id)
    _repeat(database, deleted, select(run.c.id).where(run.c.heard_ns < before_ns), run.c.id)


def _samples(database: Database, before_ns: int, deleted: Counter[str]) -> None:
    """Row by row in the order of their keys: recording, then time. A layout holds until its recording ends."""
    over = select(recording.c.id).where(recording.c.last_ns < before_ns)
    with database.writing() as connection:
        deleted[layout.name] += connection.execute(delete(layout).where(layout.c.recording_id.in_(over))).rowcount
    for number in _ids(database, select(recording.c.id)):
        for table in _SAMPLED:
            mine, at_ns = table.c.recording_id == number, table.c.at_ns
            times = select(at_ns).where(mine, at_ns < before_ns).order_by(at_ns).limit(CHUNK)
            while found := _ids(database, times):
                with database.writing() as connection:
                    gone = connection.execute(delete(table).where(mine, at_ns <= found[-1]))
                    deleted[table.name] += gone.rowcount


def _phases_over(before_ns: int) -> Select[int]:
    """Phases that had a later one by then."""
    later = tap_phase.alias("later")
    followed = exists().where(
        later.c.recording_id == tap_phase.c.recording_id, later.c.at_ns > tap_phase.c.at_ns, later.c.at_ns <= before_ns
    )
    return select(tap_phase.c.id).where(tap_phase.c.at_ns < before_ns, followed)


def _orphans(before_ns: int) -> Select[int]:
    """Calls whose operation was removed before they closed."""
    owner = exists().where(operation_part.c.id == call.c.operation_id)
    return select(call.c.id).where(call.c.first_ns < before_ns, call.c.last_ns < before_ns, ~owner)


def _told_alone(table: Table, nameless: Select[int], before_ns: int) -> Select[int]:
    """Of operations that are gone, or of none."""
    owner = exists().where(operation_part.c.id == table.c.operation_id)
    alone = or_(~owner, table.c.operation_id.in_(nameless))
    return select(table.c.call_id).where(table.c.at_ns < before_ns, alone)


def _accounts_alone(before_ns: int) -> Select[int]:
    """Calls that are gone, and of which nothing was told since."""
    told = call_account.c.call_id
    later = call_account.alias("later")
    closed, opened = exists().where(call.c.id == told), exists().where(open_message.c.id == told)
    fresh = exists().where(later.c.call_id == told, later.c.at_ns >= before_ns)
    return select(told).where(call_account.c.at_ns < before_ns, ~closed, ~opened, ~fresh).distinct()


def _repeat(database: Database, deleted: Counter[str], query: Select[int], column: Any) -> None:
    """Removes the rows that a query finds, a chunk in each transaction."""
    while ids := _ids(database, query.limit(CHUNK)):
        with database.writing() as connection:
            deleted[column.table.name] += _delete(connection, column, ids)


def _ids(database: Database, query: Select[int]) -> list[int]:
    with database.reading() as connection:
        return list(connection.execute(query).scalars())


def _delete(connection: Connection, column: Any, ids: list[int]) -> int:
    return int(connection.execute(delete(column.table).where(column.in_(ids))).rowcount)


def _names(database: Database, deleted: Counter[str]) -> None:
    epoch = _begin_epoch(database)
    used = _used_names(database)
    unused = _ids(database, select(name.c.id).where(name.c.epoch < epoch).order_by(name.c.id))
    unused = [number for number in unused if number not in used]
    for start in range(0, len(unused), CHUNK):
        chunk = unused[start : start + CHUNK]
        with database.writing() as connection:
            # The epoch again: a writer may have taken the name up since.
            gone = connection.execute(delete(name).where(name.c.id.in_(chunk), name.c.epoch < epoch))
            deleted[name.name] += gone.rowcount


def _begin_epoch(database: Database) -> int:
    """Waits for the transactions of all writers, whose rows are then to be seen."""
    row = rpcscope_meta.c
    with database.writing() as connection:
        query = select(row.value).where(row.key == EPOCH).with_for_update()
        epoch = int(connection.execute(query).scalar_one()) + 1
        connection.execute(update(rpcscope_meta).where(row.key == EPOCH).values(value=str(epoch)))
    return epoch


def _used_names(database: Database) -> set[int]:
    used: set[int] = set()
    for table in _NAMED:
        for column in table.c:
            if column.name in _NAME_COLUMNS:
                used.update(_ids(database, select(column).distinct()))
    return used


_NAME_COLUMNS = frozenset(
    f"{word}_id"
    for word in (
        *("method", "namespace", "version", "exchange", "topic", "server", "failure"),
        *("kind", "error", "source_host", "dest_host", "owed_method", "owed_host"),
        *("program", "host", "role"),
        *("vhost", "queue", "family", "type", "node", "state", "source"),
    )
)
