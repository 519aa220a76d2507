"""A recorder goes on where one before it stopped, however that one stopped."""

from __future__ import annotations

from dataclasses import replace

from rpcscope.model import Batch, Counters, Status
from rpcscope.store import Store, open_store
from tests.contract.records import START, begin, begun, make_call, make_operation, make_process, recording_of


def test_a_first_recording_resumes_nothing(store: Store) -> None:
    resume = begin(store.writer())
    assert (resume.position, resume.open_calls, resume.operations, resume.processes) == (0, (), (), ())
    assert (resume.fingerprints, resume.next_ids, resume.counters) == (b"", 1, Counters())
    assert resume.recording.ended_ns is None


def test_a_tap_is_always_a_new_recording(store: Store) -> None:
    assert begin(store.writer()).recording.id < begin(store.writer()).recording.id


def test_what_a_vanished_writer_left_open_is_resumed(store_url: str) -> None:
    with open_store(store_url, create=True) as store:
        writer, base = begun(store)
        waiting = make_call(base + 1, closed=False, operation_id=base + 1, cause_id=base + 2)
        owner = make_operation(base + 1, status=Status.RUNNING)
        cause = make_operation(base + 2, status=Status.DONE, background=True)
        running = make_operation(base + 3, status=Status.UNKNOWN)
        done = make_operation(base + 4, status=Status.DONE)
        background = make_operation(base + 5, status=Status.RUNNING, background=True)
        here, gone = make_process(base + 1), make_process(base + 2, gone_ns=START)
        batch = Batch(
            recording_id=recording_of(base),
            open_calls=(waiting,),
            operations=(owner, cause, running, done, background),
            processes=(here, gone),
            fingerprints=b"abcdefgh",
            position=9,
        )
        writer.write(batch)
    with open_store(store_url) as again:
        resume = begin(again.writer())
    assert resume.open_calls == (waiting,)
    assert resume.operations == (running, cause, owner)
    assert resume.processes == (here,)
    assert resume.fingerprints == b"abcdefgh"
    assert (resume.position, resume.next_ids) == (0, 1)


def test_what_is_open_is_resumed_over_several_recordings(store: Store) -> None:
    waiting = []
    for _ in range(3):
        writer, base = begun(store)
        waiting.append(make_call(base + 1, closed=False))
        writer.write(Batch(recording_id=recording_of(base), open_calls=(waiting[-1],)))
    assert set(begin(store.writer()).open_calls) == set(waiting)


def test_another_scope_resumes_nothing_of_it(store: Store) -> None:
    writer, base = begun(store)
    call, operation = make_call(base + 1, closed=False), make_operation(base + 1)
    writer.write(
        Batch(
            recording_id=recording_of(base),
            open_calls=(call,),
            operations=(operation,),
            processes=(make_process(base + 1),),
            fingerprints=b"abcdefgh",
        )
    )
    resume = begin(store.writer(), scope="another queue")
    assert (resume.open_calls, resume.operations, resume.processes, resume.fingerprints) == ((), (), (), b"")


def test_a_resumed_call_is_closed_by_the_next_recording(store: Store) -> None:
    first, base = begun(store)
    call = make_call(base + 1, closed=False)
    first.write(Batch(recording_id=recording_of(base), open_calls=(call,)))
    second, next_base = begun(store)
    closed = replace(call, closed=True)
    second.write(Batch(recording_id=recording_of(next_base), calls=(closed,), settled=(call.id,)))
    assert list(store.reader().calls()) == [closed]
    assert begin(store.writer()).open_calls == ()


def test_a_call_that_two_recordings_resumed_is_stored_once(store: Store) -> None:
    first, base = begun(store)
    call = make_call(base + 1, closed=False)
    first.write(Batch(recording_id=recording_of(base), open_calls=(call,)))
    closed = replace(call, closed=True)
    for writer, own in [begun(store), begun(store)]:
        writer.write(Batch(recording_id=recording_of(own), calls=(closed,), settled=(call.id,)))
    assert list(store.reader().calls()) == [closed]


def test_a_file_goes_on_at_its_position_with_ids_that_are_free(store: Store) -> None:
    writer, base = begun(store, digest="aa", scope="file")
    counters = Counters(seen=7, decoded=7)
    calls = (make_call(base + 1), make_call(base + 5))
    writer.write(Batch(recording_id=recording_of(base), calls=calls, position=7, counters=counters))
    writer.write(Batch(recording_id=recording_of(base), open_calls=(make_call(base + 6, closed=False),), position=8))
    resume = begin(store.writer(), digest="aa", scope="file")
    assert resume.recording.id == recording_of(base)
    assert (resume.position, resume.next_ids, resume.recording.ended_ns) == (8, 7, None)
    assert resume.counters == Counters()


def test_a_file_that_was_read_to_its_end_says_so(store: Store) -> None:
    writer, base = begun(store, digest="aa", scope="file")
    writer.write(Batch(recording_id=recording_of(base), position=7, last_ns=START + 3, ended=True))
    resume = begin(store.writer(), digest="aa", scope="file")
    assert resume.recording.ended_ns == START + 3
    assert len(store.reader().recordings()) == 1


def test_another_file_is_another_recording(store: Store) -> None:
    assert begun(store, digest="aa")[1] != begun(store, digest="bb")[1]


def test_fingerprints_are_those_of_the_last_65536_events(store: Store) -> None:
    writer, base = begun(store)
    parts = [bytes([n]) * 8 * 20_000 for n in range(1, 6)]
    for part in parts:
        writer.write(Batch(recording_id=recording_of(base), fingerprints=part))
    assert store.reader().counts()["tap_fingerprint"] == 4
    resume = begin(store.writer())
    assert resume.fingerprints == b"".join(parts)[-65_536 * 8 :]


def test_fingerprints_of_a_short_recording_are_filled_up_from_the_one_before(store: Store) -> None:
    for part in (b"a" * 8 * 65_000, b"b" * 8 * 500, b"c" * 8 * 100):
        writer, base = begun(store)
        writer.write(Batch(recording_id=recording_of(base), fingerprints=part))
    fingerprints = begin(store.writer()).fingerprints
    assert fingerprints == (b"a" * 8 * 65_000 + b"b" * 8 * 500 + b"c" * 8 * 100)[-65_536 * 8 :]


def test_fingerprints_that_no_recorder_needs_go_when_the_next_one_starts(store: Store) -> None:
    for part in (b"a" * 8 * 100, b"b" * 8 * 65_536):
        writer, base = begun(store)
        writer.write(Batch(recording_id=recording_of(base), fingerprints=part))
    begin(store.writer())
    assert store.reader().counts()["tap_fingerprint"] == 1
