"""A batch is stored as a whole or not at all, whatever happens."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import PoolProxiedConnection, event

from rpcscope.errors import StoreError
from rpcscope.model import Batch
from rpcscope.store import Store, TransientStoreError, open_store
from tests.contract.conftest import DATABASES, Server
from tests.contract.records import begin, begun, make_call, make_operation, make_process, recording_of


def test_a_batch_with_one_bad_row_leaves_nothing(store: Store) -> None:
    writer, base = begun(store)
    before = store.reader().counts()
    twice = (make_call(base + 1), make_call(base + 2), make_call(base + 2))
    batch = Batch(
        recording_id=recording_of(base),
        calls=twice,
        open_calls=(make_call(base + 3, closed=False),),
        operations=(make_operation(base + 1),),
        processes=(make_process(base + 1),),
        position=9,
    )
    with pytest.raises(StoreError, match="already has one of these rows") as caught:
        writer.write(batch)
    assert not isinstance(caught.value, TransientStoreError)
    assert store.reader().counts() == before
    assert store.reader().recordings()[0].position == 0


def test_a_number_that_no_column_holds_leaves_nothing(store: Store) -> None:
    writer, base = begun(store)
    before = store.reader().counts()
    with pytest.raises(StoreError):
        writer.write(Batch(recording_id=recording_of(base), calls=(make_call(base + 1, parent_id=2**70),)))
    assert store.reader().counts() == before


def test_names_of_an_undone_batch_are_not_taken_for_stored(store: Store) -> None:
    writer, base = begun(store)
    new = make_call(base + 1, method="never_seen_before")
    with pytest.raises(StoreError):
        writer.write(Batch(recording_id=recording_of(base), calls=(new, new)))
    writer.write(Batch(recording_id=recording_of(base), calls=(new,)))
    assert list(store.reader().calls()) == [new]


def test_a_batch_of_an_unknown_recording_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="has no recording 12: start it first"):
        store.writer().write(Batch(recording_id=12))


def test_a_second_writer_of_the_same_recording_is_refused(store: Store) -> None:
    writer, base = begun(store)
    writer.write(Batch(recording_id=recording_of(base), position=1))
    other = store.writer()
    other.write(Batch(recording_id=recording_of(base), position=2))
    with pytest.raises(StoreError, match="another recorder writes"):
        writer.write(Batch(recording_id=recording_of(base), position=3))
    assert store.reader().recordings()[0].position == 2


@pytest.mark.parametrize("database_kind", DATABASES[1:], indirect=True)
def test_a_lost_connection_is_transient_and_the_same_batch_may_be_written_again(store: Store, server: Server) -> None:
    writer, base = begun(store)
    batch = Batch(recording_id=recording_of(base), calls=(make_call(base + 1),), position=1)
    _break_once(store, server)
    with pytest.raises(TransientStoreError, match="can not be reached"):
        writer.write(batch)
    assert list(store.reader().calls()) == []
    writer.write(batch)
    assert list(store.reader().calls()) == list(batch.calls)


@pytest.mark.parametrize("again", [True, False], ids=["written again", "given up"])
def test_a_batch_whose_commit_was_in_doubt_is_stored_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    writer, base = begun(store)
    batch = Batch(recording_id=recording_of(base), calls=(make_call(base + 1),), position=1)
    dialect = store._database.engine.dialect
    commit = dialect.do_commit

    def commit_and_lose(connection: PoolProxiedConnection) -> None:
        commit(connection)
        raise TransientStoreError("the connection broke after the commit")

    with monkeypatch.context() as patch:
        patch.setattr(dialect, "do_commit", commit_and_lose)
        with pytest.raises(TransientStoreError):
            writer.write(batch)
    if again:
        writer.write(replace(batch))
    writer.write(Batch(recording_id=recording_of(base), calls=(make_call(base + 2),), position=2))
    assert [call.id - base for call in store.reader().calls()] == [1, 2]


def test_two_writers_share_a_store_and_its_names(store: Store) -> None:
    errors: list[BaseException] = []
    bases: list[int] = []

    def record(scope: str) -> None:
        try:
            writer, base = begun(store, scope=scope)
            bases.append(base)
            for round_ in range(10):
                calls = tuple(
                    make_call(base + round_ * 20 + n, method=f"method_{round_ * 7 + n}") for n in range(1, 21)
                )
                _write_until_done(writer, Batch(recording_id=recording_of(base), calls=calls))
        except BaseException as error:
            errors.append(error)

    threads = [Thread(target=record, args=(scope,)) for scope in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    read = {call.id: call.method for call in store.reader().calls()}
    assert read == {
        base + round_ * 20 + n: f"method_{round_ * 7 + n}"
        for base in bases
        for round_ in range(10)
        for n in range(1, 21)
    }


def _write_until_done(writer: object, batch: Batch) -> None:
    for _ in range(100):
        try:
            writer.write(batch)  # type: ignore[attr-defined]
        except TransientStoreError:
            continue
        return
    raise AssertionError("the batch was refused a hundred times")


WRITE_FOR_EVER = """
import sys
from itertools import count
from rpcscope.model import Batch
from rpcscope.store import open_store
from tests.contract.records import begun, make_call, recording_of

with open_store(sys.argv[1]) as store:
    writer, base = begun(store)
    for n in count(1):
        calls = tuple(make_call(base + n * 10 + i) for i in range(10))
        waiting = (make_call(base + (1 << 30) + n, closed=False),)
        writer.write(Batch(recording_id=recording_of(base), calls=calls, open_calls=waiting, position=n))
        print(n, flush=True)
"""


def test_what_a_killed_writer_was_told_is_stored_is_stored(store: Store, store_url: str) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", WRITE_FOR_EVER, store_url]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = 0
        while told < 5:
            told = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        told = max([told, *(int(line) for line in process.stdout.read().split("\n")[:-1])])
    resume = begin(store.writer())
    earlier = store.reader().recordings()[0]
    assert told <= earlier.position <= told + 1
    assert len(resume.open_calls) == earlier.position
    assert store.reader().counts()["call"] == earlier.position * 10


def test_another_opening_of_the_store_sees_what_was_written(store: Store, store_url: str) -> None:
    writer, base = begun(store)
    call = make_call(base + 1)
    writer.write(Batch(recording_id=recording_of(base), calls=(call,)))
    with open_store(store_url) as second:
        assert list(second.reader().calls()) == [call]


def _break_once(store: Store, server: Server) -> None:
    """Ends the connection on the server as a write of it is under way."""
    engine = store._database.engine

    def break_connection(*arguments: object) -> None:
        if any("INSERT" in str(argument) for argument in arguments):
            event.remove(engine, "before_cursor_execute", break_connection)
            server.disconnect_all()

    event.listen(engine, "before_cursor_execute", break_connection)
