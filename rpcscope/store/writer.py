"""The Writer of SQL databases: one transaction for each batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from rpcscope.errors import StoreError
from rpcscope.model import Batch, Call, Operation, Resume
from rpcscope.store.account_rows import account_names, put_accounts
from rpcscope.store.bulk import insert_calls
from rpcscope.store.call_rows import call_names, call_rows, open_row
from rpcscope.store.database import Database
from rpcscope.store.failures import TransientStoreError
from rpcscope.store.flight_rows import flight_names, in_flight_row, layout_row, phase_row
from rpcscope.store.health_rows import put_health
from rpcscope.store.labels import put_labels
from rpcscope.store.names import NameWriter
from rpcscope.store.notice_rows import put_notices
from rpcscope.store.operation_rows import instance_rows, operation_names, operation_row, process_names, process_row
from rpcscope.store.protocol import RecorderHealth
from rpcscope.store.prune import prune
from rpcscope.store.queue_rows import churn_row, family_row, node_row, poll_row, queue_names, sample_row
from rpcscope.store.recording_rows import COUNTERS, gap_row, progress_row
from rpcscope.store.resume import FINGERPRINT_BYTES, FINGERPRINTS, ID_BITS, forget_fingerprints, load_resume
from rpcscope.store.run_rows import Run, RunState, begin_run, tell_run
from rpcscope.store.schema import (
    call,
    churn_event,
    gap,
    in_flight_sample,
    layout,
    node_state,
    open_message,
    operation_instance,
    operation_part,
    process,
    queue_family_sample,
    queue_poll,
    queue_sample,
    recording,
    tap_fingerprint,
    tap_phase,
)
from rpcscope.store.text import fit, scrub
from rpcscope.store.triggers import ask, take
from rpcscope.store.upsert import upsert

_IDS_A_STATEMENT = 1_000


class SqlWriter:
    """See `protocol.Writer`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._names = NameWriter()
        self._batches: dict[int, int] = {}  # of each recording: batches known to be stored
        self._doubtful: Batch | None = None  # its commit may have arrived although the connection broke

    def start(
        self, *, source: str, scope: str, digest: str, label: str, tap_mode: str, conditions: str, started_ns: int
    ) -> Resume:
        """Begins a recording, or goes on with the one of the same digest."""
        row: dict[str, Any] = {
            "source": fit(source),
            "scope": fit(scope),
            "digest": fit(digest) or None,
            "label": fit(label),
            "tap_mode": fit(tap_mode),
            "conditions": scrub(conditions)[:10_000],
            "started_ns": started_ns,
        }
        with self._database.writing() as connection:
            number = _find(connection, row["digest"]) or _begin(connection, row)
            resume = load_resume(connection, number)
            forget_fingerprints(connection, number)
        return resume

    def label(self, recording_id: int, labels: Mapping[str, str]) -> None:
        """Sets labels of a recording."""
        put_labels(self._database, recording_id, labels)

    def write(self, batch: Batch) -> None:
        """Stores a batch as a whole or not at all."""
        try:
            with self._database.writing() as connection:
                count, names = self._put(connection, batch)
        except TransientStoreError:
            self._doubtful = batch
            raise
        self._doubtful = None
        self._batches[batch.recording_id] = count
        self._names.remember(names)

    def report(self, health: RecorderHealth) -> None:
        """Replaces what the recorder last said of itself."""
        put_health(self._database, health)

    def ask(self, *, at_ns: int, name: str, why: str, minutes: float) -> int:
        """Asks the recorders of a name for details; the id of the trigger."""
        return ask(self._database, at_ns=at_ns, name=name, why=why, minutes=minutes)

    def taken(self, trigger_id: int, at_ns: int) -> bool:
        """Marks a trigger as taken; False when it was before."""
        return take(self._database, trigger_id, at_ns)

    def begin_run(self, run: Run) -> int:
        """Stores a run of the emulator that begins; its id."""
        return begin_run(self._database, run)

    def tell_run(
        self, run_id: int, *, state: RunState, at_ns: int, outcome: Mapping[str, Any], ended: bool = False
    ) -> None:
        """Replaces what is known of how a run fares."""
        tell_run(self._database, run_id, state=state, at_ns=at_ns, outcome=outcome, ended=ended)

    def prune(self, before_ns: int, *, unfinished_before_ns: int | None = None) -> dict[str, int]:
        """Removes what ended before a time."""
        return prune(self._database, before_ns, unfinished_before_ns)

    def _put(self, connection: Connection, batch: Batch) -> tuple[int, dict[str, int]]:
        stored = _stored_batches(connection, batch.recording_id)
        known = self._batches.setdefault(batch.recording_id, stored)
        doubtful = self._doubtful
        if doubtful and doubtful.recording_id == batch.recording_id and stored == known + 1:
            known = stored  # its commit had arrived
            if batch == doubtful:
                return stored, {}
        if stored != known:
            raise StoreError(f"another recorder writes to recording {batch.recording_id}: stop one of them")
        names = self._names.resolve(connection, _texts(batch))
        _put_calls(connection, batch, names)
        _put_operations(connection, batch.operations, names)
        upsert(connection, process, [process_row(p, names) for p in batch.processes], "id")
        if batch.gaps:
            connection.execute(insert(gap), [gap_row(one, batch.recording_id) for one in batch.gaps])
        put_accounts(connection, batch.accounts, names)
        put_notices(connection, batch.notices, batch.progress)
        _put_samples(connection, batch, names)
        _put_replaced(connection, batch, names)
        _put_fingerprints(connection, batch)
        progress = progress_row(batch) | {"batches": stored + 1}
        connection.execute(update(recording).where(recording.c.id == batch.recording_id).values(progress))
        return stored + 1, names


def _find(connection: Connection, digest: str | None) -> int | None:
    query = select(recording.c.id).where(recording.c.digest == digest).with_for_update()
    return connection.execute(query).scalar_one_or_none() if digest else None


def _begin(connection: Connection, row: dict[str, Any]) -> int:
    empty = dict.fromkeys((*COUNTERS, "last_ns", "position", "batches"), 0)
    try:
        with connection.begin_nested():
            key: Any = connection.execute(insert(recording).values(row | empty)).inserted_primary_key
            return int(key[0])
    except IntegrityError:  # another importer of the same file came first
        return _find(connection, row["digest"]) or 0


def _stored_batches(connection: Connection, recording_id: int) -> int:
    # The lock keeps a second writer of the same recording out until this transaction ends.
    query = select(recording.c.batches).where(recording.c.id == recording_id).with_for_update()
    stored = connection.execute(query).scalar_one_or_none()
    if stored is None:
        raise StoreError(f"the store has no recording {recording_id}: start it first")
    return int(stored)


def _texts(batch: Batch) -> set[str]:
    texts = call_names(batch.calls)
    texts |= operation_names(batch.operations)
    texts |= account_names(batch.accounts)
    return texts | process_names(batch.processes) | queue_names(batch) | flight_names(batch)


def _put_calls(connection: Connection, batch: Batch, names: dict[str, int]) -> None:
    # A call that an earlier recording left open may have been closed by two recorders that both took it up.
    _delete(connection, call.c.id, _adopted(batch.calls, batch.recording_id))
    insert_calls(connection, call_rows(batch.calls, names))
    _delete(connection, open_message.c.id, batch.settled)
    upsert(connection, open_message, [open_row(c) for c in batch.open_calls], "id")


def _adopted(calls: Iterable[Call], recording_id: int) -> list[int]:
    first, last = recording_id << ID_BITS, (recording_id + 1) << ID_BITS
    return [c.id for c in calls if not first <= c.id < last]


def _put_operations(connection: Connection, operations: tuple[Operation, ...], names: dict[str, int]) -> None:
    upsert(connection, operation_part, [operation_row(o, names) for o in operations], "id")
    _delete(connection, operation_instance.c.operation_id, [o.id for o in operations])
    rows = instance_rows(operations)
    if rows:
        connection.execute(insert(operation_instance), rows)


def _put_samples(connection: Connection, batch: Batch, names: dict[str, int]) -> None:
    rows = {
        queue_poll: [poll_row(p, names) for p in batch.queue_polls],
        queue_sample: [sample_row(q, names) for q in batch.queue_samples],
        queue_family_sample: [family_row(f, names) for f in batch.family_samples],
        node_state: [node_row(n, names) for n in batch.node_states],
        churn_event: [churn_row(c, names) for c in batch.churn],
        tap_phase: [phase_row(p) for p in batch.phases],
    }
    for table, found in rows.items():
        if found:
            connection.execute(insert(table), [row | {"recording_id": batch.recording_id} for row in found])


def _put_replaced(connection: Connection, batch: Batch, names: dict[str, int]) -> None:
    """An import that was killed may come to a second again whose work in flight is stored."""
    mine = {"recording_id": batch.recording_id}
    samples = [in_flight_row(one, names) | mine for one in batch.in_flight]
    upsert(connection, in_flight_sample, samples, *in_flight_sample.primary_key.columns.keys())
    layouts = [layout_row(one, names) | mine for one in batch.layouts]
    upsert(connection, layout, layouts, *layout.primary_key.columns.keys())


def _put_fingerprints(connection: Connection, batch: Batch) -> None:
    if not batch.fingerprints:
        return
    mine = tap_fingerprint.c.recording_id == batch.recording_id
    before = connection.execute(select(func.max(tap_fingerprint.c.position)).where(mine)).scalar() or 0
    position = before + len(batch.fingerprints) // FINGERPRINT_BYTES
    row = {"recording_id": batch.recording_id, "position": position, "fingerprints": batch.fingerprints}
    connection.execute(insert(tap_fingerprint), row)
    connection.execute(delete(tap_fingerprint).where(mine, tap_fingerprint.c.position <= position - FINGERPRINTS))


def _delete(connection: Connection, column: Any, ids: Iterable[int]) -> None:
    numbers = list(ids)
    for start in range(0, len(numbers), _IDS_A_STATEMENT):
        connection.execute(delete(column.table).where(column.in_(numbers[start : start + _IDS_A_STATEMENT])))
