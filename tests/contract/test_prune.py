"""Retention removes whole operations that are old, and nothing else."""

from __future__ import annotations

from threading import Event, Thread

from rpcscope.model import Batch, Gap, GapCause, Status
from rpcscope.store import OperationFilter, Store
from tests.contract.records import SECOND, START, begun, make_call, make_operation, recording_of

BEFORE = START + 1_000 * SECOND
LATE = BEFORE + 5 * SECOND


def test_old_operations_go_with_their_calls_and_new_ones_stay(store: Store) -> None:
    writer, base = begun(store)
    old, new = make_operation(base + 1), make_operation(base + 2, started_ns=LATE, instances=("vm",))
    calls = (
        make_call(base + 1, operation_id=old.id),
        make_call(base + 2, operation_id=old.id, method="only_here"),
        make_call(base + 3, operation_id=new.id, published_ns=LATE),
    )
    writer.write(Batch(recording_id=recording_of(base), operations=(old, new), calls=calls))
    deleted = store.writer().prune(BEFORE)
    assert (deleted["operation_part"], deleted["operation_instance"], deleted["call"]) == (1, 2, 2)
    assert list(store.reader().operations()) == [new]
    assert list(store.reader().operations(OperationFilter(instance="uuid-a"))) == []
    assert list(store.reader().calls()) == [calls[2]]


def test_an_operation_stays_while_any_part_of_it_is_new(store: Store) -> None:
    first, base = begun(store, scope="cell 1")
    second, other = begun(store, scope="cell 2")
    early = make_operation(base + 1, request_id="req-1")
    late = make_operation(other + 1, request_id="req-1", started_ns=LATE)
    early_call = make_call(base + 1, operation_id=early.id)
    first.write(Batch(recording_id=recording_of(base), operations=(early,), calls=(early_call,)))
    second.write(Batch(recording_id=recording_of(other), operations=(late,)))
    assert store.writer().prune(BEFORE)["operation_part"] == 0
    assert list(store.reader().operations()) == [late, early]
    assert list(store.reader().calls()) == [early_call]
    assert store.writer().prune(LATE + SECOND)["operation_part"] == 2
    assert list(store.reader().calls()) == []


def test_old_calls_of_no_operation_and_old_gaps_go(store: Store) -> None:
    writer, base = begun(store)
    gatherer = make_operation(base + 1, request_id="", last_ns=LATE)
    calls = (
        make_call(base + 1),
        make_call(base + 2, operation_id=gatherer.id),
        make_call(base + 3, operation_id=base + 99),
        make_call(base + 4, published_ns=LATE),
        make_call(base + 5, published_ns=LATE, operation_id=gatherer.id),
        make_call(base + 6, published_ns=LATE, operation_id=base + 99),
    )
    waiting = (make_call(base + 7, closed=False), make_call(base + 8, published_ns=LATE, closed=False))
    gaps = tuple(Gap(from_ns=START, to_ns=to, cause=GapCause.DROPPED) for to in (BEFORE - 1, BEFORE))
    writer.write(
        Batch(recording_id=recording_of(base), operations=(gatherer,), calls=calls, open_calls=waiting, gaps=gaps)
    )
    deleted = store.writer().prune(BEFORE)
    assert (deleted["call"], deleted["open_message"], deleted["gap"]) == (3, 1, 1)
    assert [call.id - base for call in store.reader().calls()] == [4, 5, 6, 8]
    assert store.reader().gaps() == [gaps[1]]


def test_what_is_not_over_stays_longer_when_it_is_told_to(store: Store) -> None:
    writer, base = begun(store)
    runs, done = (
        make_operation(base + 1, status=Status.RUNNING),
        make_operation(base + 2, request_id="req-done", status=Status.DONE),
    )
    calls = (make_call(base + 1, operation_id=runs.id), make_call(base + 2, operation_id=done.id))
    waiting = make_call(base + 3, operation_id=runs.id, closed=False)
    writer.write(Batch(recording_id=recording_of(base), operations=(runs, done), calls=calls, open_calls=(waiting,)))
    store.writer().prune(BEFORE, unfinished_before_ns=START - SECOND)
    assert list(store.reader().operations()) == [runs]
    assert [call.id for call in store.reader().calls()] == [base + 1, base + 3]
    store.writer().prune(BEFORE, unfinished_before_ns=BEFORE)
    assert list(store.reader().operations()) == []
    assert list(store.reader().calls()) == []


def test_more_rows_than_one_chunk_go(store: Store) -> None:
    writer, base = begun(store)
    operations = tuple(make_operation(base + n) for n in range(1, 251))
    calls = tuple(make_call(base + n, operation_id=base + 1 + n % 250, published_ns=START + n) for n in range(5_000))
    writer.write(Batch(recording_id=recording_of(base), operations=operations, calls=calls))
    deleted = store.writer().prune(BEFORE)
    assert (deleted["operation_part"], deleted["call"]) == (250, 5_000)
    assert store.reader().counts()["name"] == 0


def test_pruning_again_finds_nothing(store: Store) -> None:
    writer, base = begun(store)
    writer.write(Batch(recording_id=recording_of(base), calls=(make_call(base + 1),)))
    store.writer().prune(BEFORE)
    assert set(store.writer().prune(BEFORE).values()) == {0}


def test_names_that_rows_use_stay_and_the_others_go(store: Store) -> None:
    writer, base = begun(store)
    old, new = make_call(base + 1, method="old"), make_call(base + 2, method="new", published_ns=LATE)
    writer.write(Batch(recording_id=recording_of(base), calls=(old, new)))
    assert store.writer().prune(BEFORE)["name"] == 1
    assert list(store.reader().calls()) == [new]


def test_a_writer_that_remembers_a_removed_name_stores_it_again(store: Store) -> None:
    writer, base = begun(store)
    reader = store.reader()
    writer.write(Batch(recording_id=recording_of(base), calls=(make_call(base + 1, method="rare"),)))
    assert [call.method for call in reader.calls()] == ["rare"]
    store.writer().prune(BEFORE)
    late = (
        make_call(base + 2, method="another", published_ns=LATE),
        make_call(base + 3, method="rare", published_ns=LATE),
    )
    writer.write(Batch(recording_id=recording_of(base), calls=late))
    assert [call.method for call in reader.calls()] == ["another", "rare"]


def test_a_recorder_goes_on_while_old_rows_are_removed(store: Store) -> None:
    writer, base = begun(store)
    done = Event()
    errors: list[BaseException] = []

    def prune_until_done() -> None:
        try:
            while not done.is_set():
                store.writer().prune(BEFORE)
        except BaseException as error:
            errors.append(error)

    pruning = Thread(target=prune_until_done)
    pruning.start()
    try:
        for round_ in range(20):
            operation = make_operation(base + round_ + 1)
            old = make_call(base + round_ * 2 + 1, method=f"old_{round_}", operation_id=operation.id)
            new = make_call(base + round_ * 2 + 2, method=f"new_{round_ % 3}", published_ns=LATE + round_)
            writer.write(Batch(recording_id=recording_of(base), operations=(operation,), calls=(old, new)))
    finally:
        done.set()
        pruning.join()
    assert errors == []
    store.writer().prune(BEFORE)
    assert [call.method for call in store.reader().calls()] == [f"new_{n % 3}" for n in range(20)]
