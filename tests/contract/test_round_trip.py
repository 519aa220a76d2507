"""What goes in comes out."""

from __future__ import annotations

from dataclasses import replace

from rpcscope.model import Batch, Copy, Counters, Gap, GapCause, Recording, Tally
from rpcscope.store import RecordingInfo, Store
from tests.contract.records import START, begun, make_call, make_operation, make_process, recording_of

COUNTERS = Counters(seen=100, decoded=80, rejected=3, duplicates=4, markers=17, messages=50, copies=26, evicted=1)


def test_a_closed_call_comes_back_as_it_was(store: Store) -> None:
    writer, base = begun(store)
    calls = (
        make_call(
            base + 1,
            trace_context=f"{1:032x}-{2:016x}",
            more_copies=(Copy(at_ns=1, process=2), Copy(at_ns=3, process=4)),
        ),
        make_call(base + 2, expiration_ms=None, replied_ns=None, failure="", method=""),
    )
    writer.write(Batch(recording_id=recording_of(base), calls=calls))
    assert tuple(store.reader().calls()) == calls


def test_an_open_call_comes_back_as_it_was(store: Store) -> None:
    writer, base = begun(store)
    call = make_call(base + 1, closed=False, reply_delivered_ns=None)
    writer.write(Batch(recording_id=recording_of(base), open_calls=(call,)))
    assert store.reader().open_calls() == [call]
    assert list(store.reader().calls()) == [call]


def test_an_operation_comes_back_as_it_was(store: Store) -> None:
    writer, base = begun(store)
    operation = make_operation(base + 1)
    bare = make_operation(
        base + 2, instances=(), finished_ns=None, owed_since_ns=None, background=True, complete=False, by_cause=Tally()
    )
    writer.write(Batch(recording_id=recording_of(base), operations=(operation, bare)))
    assert list(store.reader().operations()) == [bare, operation]


def test_a_process_comes_back_as_it_was(store: Store) -> None:
    writer, base = begun(store)
    here, gone = make_process(base + 1), make_process(base + 2, gone_ns=START + 5, program="", pid=0)
    writer.write(Batch(recording_id=recording_of(base), processes=(here, gone)))
    assert store.reader().processes() == {here.id: here, gone.id: gone}


def test_gaps_come_back_by_their_beginning_and_by_the_time_they_touch(store: Store) -> None:
    writer, base = begun(store)
    late = Gap(from_ns=START + 50, to_ns=START + 60, cause=GapCause.STORE, estimate=12, note="disk")
    early = Gap(from_ns=START, to_ns=START + 10, cause=GapCause.DROPPED)
    writer.write(Batch(recording_id=recording_of(base), gaps=(late, early)))
    reader = store.reader()
    assert reader.gaps() == [early, late]
    assert reader.gaps(from_ns=START + 11) == [late]
    assert reader.gaps(to_ns=START + 49) == [early]
    assert reader.gaps(from_ns=START + 11, to_ns=START + 49) == []


def test_gaps_are_told_by_the_recording_that_was_blind(store: Store) -> None:
    one, base = begun(store)
    two, other = begun(store)
    early, late = (Gap(from_ns=START + n, to_ns=START + n + 5, cause=GapCause.DROPPED) for n in (0, 20))
    one.write(Batch(recording_id=recording_of(base), gaps=(late, early)))
    two.write(Batch(recording_id=recording_of(other), gaps=(late,)))
    reader = store.reader()
    assert reader.gaps_by_recording() == {recording_of(base): [early, late], recording_of(other): [late]}
    assert reader.gaps_by_recording(to_ns=START + 19) == {recording_of(base): [early]}
    assert reader.gaps() == [early, late, late]


def test_a_recording_comes_back_with_how_far_it_came(store: Store) -> None:
    writer, base = begun(store, digest="d" * 64)
    number = recording_of(base)
    writer.write(Batch(recording_id=number, position=42, counters=COUNTERS, last_ns=START + 9, ended=True))
    recording = Recording(
        id=number,
        source="firehose",
        scope="broker/vhost/queue",
        digest="d" * 64,
        label="openstack",
        tap_mode="control",
        conditions="fake driver, 2 workers",
        started_ns=START,
        ended_ns=START + 9,
    )
    expected = RecordingInfo(recording=recording, counters=COUNTERS, last_ns=START + 9, position=42)
    assert store.reader().recordings() == [expected]


def test_an_open_call_is_replaced_by_its_newer_self(store: Store) -> None:
    writer, base = begun(store)
    call = make_call(base + 1, closed=False)
    newer = replace(call, copies=9, to_process=33)
    writer.write(Batch(recording_id=recording_of(base), open_calls=(call,)))
    writer.write(Batch(recording_id=recording_of(base), open_calls=(newer,)))
    assert store.reader().open_calls() == [newer]


def test_a_settled_call_is_open_no_more_and_closed_once(store: Store) -> None:
    writer, base = begun(store)
    call = make_call(base + 1, closed=False)
    closed = replace(call, closed=True, copies=9)
    writer.write(Batch(recording_id=recording_of(base), open_calls=(call,)))
    writer.write(Batch(recording_id=recording_of(base), calls=(closed,), settled=(call.id,)))
    assert store.reader().open_calls() == []
    assert list(store.reader().calls()) == [closed]


def test_operations_and_processes_are_replaced_by_id(store: Store) -> None:
    writer, base = begun(store)
    operation, process = make_operation(base + 1), make_process(base + 1)
    newer = replace(operation, kind="resize", instances=("uuid-c",), finished_ns=None)
    gone = replace(process, gone_ns=START + 7, host="host-9")
    writer.write(Batch(recording_id=recording_of(base), operations=(operation,), processes=(process,)))
    writer.write(Batch(recording_id=recording_of(base), operations=(newer,), processes=(gone,)))
    assert list(store.reader().operations()) == [newer]
    assert store.reader().processes() == {gone.id: gone}
    assert store.reader().counts()["operation_instance"] == 1


def test_an_empty_batch_is_a_batch(store: Store) -> None:
    writer, base = begun(store)
    writer.write(Batch(recording_id=recording_of(base), position=1))
    assert store.reader().recordings()[0].position == 1


def test_counts_are_the_rows_of_each_table(store: Store) -> None:
    writer, base = begun(store)
    calls = tuple(make_call(base + n) for n in range(1, 6))
    writer.write(Batch(recording_id=recording_of(base), calls=calls, operations=(make_operation(base + 1),)))
    counts = store.reader().counts()
    assert (counts["call"], counts["operation_part"], counts["operation_instance"], counts["open_message"]) == (
        5,
        1,
        2,
        0,
    )
    assert store.reader().status().rows == counts
