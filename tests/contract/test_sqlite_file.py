"""What can happen to a store that is a file: locked, full, read-only."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event

from rpcscope.errors import StoreError
from rpcscope.model import Batch
from rpcscope.store import Store, TransientStoreError, open_store
from tests.contract.records import begun, make_call, recording_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store_url(path: Path) -> str:
    return str(path)


def limit(store: Store, pragma: str) -> None:
    """Says a pragma on each connection that the store takes into use."""

    def say(connection: sqlite3.Connection, *_rest: object) -> None:
        connection.execute(pragma)

    event.listen(store._database.engine, "checkout", say)


def test_a_locked_file_is_transient_and_the_same_batch_may_be_written_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rpcscope.store.database.BUSY_TIMEOUT_S", 0.05)
    with open_store(str(path), create=True) as store, closing(sqlite3.connect(path)) as other:
        writer, base = begun(store)
        batch = Batch(recording_id=recording_of(base), calls=(make_call(base + 1),))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransientStoreError, match="is locked by another program"):
            writer.write(batch)
        other.execute("ROLLBACK")
        writer.write(batch)
        assert list(store.reader().calls()) == list(batch.calls)


def test_a_full_disk_is_told_leaves_nothing_and_the_writer_goes_on_when_there_is_space(store: Store) -> None:
    writer, base = begun(store)
    before = store.reader().counts()
    batch = Batch(recording_id=recording_of(base), calls=tuple(make_call(base + n) for n in range(5_000)))
    limit(store, "PRAGMA max_page_count=40")
    with pytest.raises(StoreError, match="is full: free some space") as caught:
        writer.write(batch)
    assert not isinstance(caught.value, TransientStoreError)
    assert store.reader().counts() == before
    limit(store, "PRAGMA max_page_count=1000000")
    writer.write(batch)
    assert store.reader().counts()["call"] == 5_000


def test_a_read_only_file_is_told_and_can_be_read(store: Store) -> None:
    writer, base = begun(store)
    calls = (make_call(base + 1),)
    writer.write(Batch(recording_id=recording_of(base), calls=calls))
    limit(store, "PRAGMA query_only=ON")
    with pytest.raises(StoreError, match="is read-only: make it writable"):
        writer.write(Batch(recording_id=recording_of(base), calls=(make_call(base + 2),)))
    assert tuple(store.reader().calls()) == calls


def test_each_commit_reaches_the_disk_and_readers_do_not_wait(store: Store) -> None:
    with store._database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_call_has_no_index_on_a_random_id_and_its_id_is_the_row(store: Store) -> None:
    with store._database.reading() as connection:
        indexed = connection.exec_driver_sql(
            "SELECT i.name FROM pragma_index_list('call') l, pragma_index_info(l.name) i ORDER BY 1"
        ).scalars()
        assert list(indexed) == ["cause_id", "first_ns", "operation_id"]


def test_calls_of_an_operation_are_found_by_an_index(store: Store) -> None:
    statements: list[tuple[str, object]] = []

    def keep(_connection: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        statements.append((statement, parameters))

    event.listen(store._database.engine, "before_cursor_execute", keep)
    list(store.reader().calls(operation_ids=[1, 2]))
    list(store.reader().calls(since_ns=5))
    event.remove(store._database.engine, "before_cursor_execute", keep)
    asked = [(statement, parameters) for statement, parameters in statements if "FROM call" in statement]
    with store._database.reading() as connection:
        plans = [
            " ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))  # type: ignore[arg-type]
            for statement, parameters in asked
        ]
    assert ["ix_call_operation_id" in plans[0], "ix_call_first_ns" in plans[1]] == [True, True]
    assert "TEMP B-TREE" not in plans[1]
