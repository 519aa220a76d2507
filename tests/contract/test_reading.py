"""A reader finds what it is asked for, in order, and its totals add up."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from random import Random

import pytest

from rpcscope.model import Batch, Flag, MessageKind, Operation, Outcome
from rpcscope.store import OperationFilter, Store
from tests.contract.records import SECOND, START, begun, make_call, make_operation, make_process, recording_of


def test_calls_come_by_the_time_of_their_publish_closed_and_open_together(store: Store) -> None:
    writer, base = begun(store)
    calls = [make_call(base + n, published_ns=START + at) for n, at in ((1, 30), (2, 10), (3, 10))]
    waiting = [make_call(base + n, published_ns=START + at, closed=False) for n, at in ((4, 20), (5, 10), (6, 40))]
    writer.write(Batch(recording_id=recording_of(base), calls=tuple(calls), open_calls=tuple(waiting)))
    assert [call.id - base for call in store.reader().calls()] == [2, 3, 5, 4, 1, 6]
    assert [call.id - base for call in store.reader().open_calls()] == [5, 4, 6]


def test_a_call_without_its_publish_comes_at_the_first_time_known_of_it(store: Store) -> None:
    writer, base = begun(store)
    published = make_call(base + 1, published_ns=START + 20)
    reply = replace(published, id=base + 2, published_ns=None, delivered_ns=None, replied_ns=START + 10)
    delivered = replace(published, id=base + 3, published_ns=None, delivered_ns=START + 5, replied_ns=START + 10)
    bare = make_call(base + 4, published_ns=None, last_ns=START + 1)
    writer.write(Batch(recording_id=recording_of(base), calls=(published, reply, delivered, bare)))
    assert [call.id - base for call in store.reader().calls()] == [4, 3, 2, 1]
    assert [call.id - base for call in store.reader().calls(since_ns=START + 5, until_ns=START + 20)] == [3, 2]


def test_calls_are_found_by_operation_cause_time_and_limit(store: Store) -> None:
    writer, base = begun(store)
    calls = tuple(make_call(base + n, operation_id=n % 3, cause_id=n % 5) for n in range(30))
    waiting = tuple(make_call(base + n, operation_id=n % 3, cause_id=n % 5, closed=False) for n in range(30, 60))
    writer.write(Batch(recording_id=recording_of(base), calls=calls, open_calls=waiting))
    reader = store.reader()

    def numbers(**words: object) -> list[int]:
        return [call.id - base for call in reader.calls(**words)]  # type: ignore[arg-type]

    assert numbers(operation_ids=[1]) == [n for n in range(60) if n % 3 == 1]
    assert numbers(cause_ids={2, 4}) == [n for n in range(60) if n % 5 in (2, 4)]
    assert numbers(operation_ids=[1], cause_ids=[2]) == [n for n in range(60) if n % 3 == 1 or n % 5 == 2]
    assert numbers(operation_ids=[]) == []
    assert numbers(since_ns=START + 25 * SECOND, until_ns=START + 35 * SECOND) == list(range(25, 35))
    assert numbers(limit=35) == list(range(35))
    assert numbers(operation_ids=range(2**40, 2**40 + 40_000)) == []


def test_many_calls_stream_and_may_be_left_half_read(store: Store) -> None:
    writer, base = begun(store)
    calls = tuple(make_call(base + n, method=f"method_{n % 700}") for n in range(6_000))
    writer.write(Batch(recording_id=recording_of(base), calls=calls))
    reader = store.reader()
    assert tuple(islice(reader.calls(), 10)) == calls[:10]
    assert tuple(reader.calls()) == calls
    writer.write(Batch(recording_id=recording_of(base), calls=(make_call(base + 9_000),)))


def test_a_recorder_writes_while_a_reader_is_half_way(store: Store) -> None:
    writer, base = begun(store)
    writer.write(Batch(recording_id=recording_of(base), calls=tuple(make_call(base + n) for n in range(5_000))))
    reading = store.reader().calls()
    next(reading)
    writer.write(Batch(recording_id=recording_of(base), calls=(make_call(base + 9_000),)))
    assert len(list(reading)) >= 4_999


def three_operations(store: Store) -> dict[str, Operation]:
    """Three operations of different kinds; calls of the last one went to a host that it does not name."""
    writer, base = begun(store)
    hosts = {"source_host": "", "dest_host": "", "owed_host": ""}
    boot = make_operation(base + 1, request_id="req-1", instances=("vm-1",), **(hosts | {"source_host": "host-1"}))
    move = make_operation(
        base + 2,
        request_id="req-2",
        global_request_id="req-all",
        kind="live-migration",
        instances=("vm-1", "vm-2"),
        project_id="other",
        **(hosts | {"source_host": "host-1", "dest_host": "host-2"}),
    )
    timer = make_operation(base + 3, request_id="req-3", kind="periodic:x", background=True, instances=(), **hosts)
    calls = (
        make_call(base + 1, operation_id=timer.id, server="host-7"),
        make_call(base + 2, operation_id=timer.id, server="", to_process=base + 1),
    )
    process = make_process(base + 1, host="host-8")
    writer.write(
        Batch(recording_id=recording_of(base), operations=(boot, move, timer), calls=calls, processes=(process,))
    )
    return {"boot": boot, "move": move, "timer": timer}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (OperationFilter(), "timer move boot"),
        (OperationFilter(kind="create"), "boot"),
        (OperationFilter(kind="no such kind"), ""),
        (OperationFilter(kind=""), ""),
        (OperationFilter(instance="vm-1"), "move boot"),
        (OperationFilter(instance="vm-2"), "move"),
        (OperationFilter(host="host-1"), "move boot"),
        (OperationFilter(host="host-2"), "move"),
        (OperationFilter(host="host-7"), "timer"),
        (OperationFilter(host="host-8"), "timer"),
        (OperationFilter(host="no such host"), ""),
        (OperationFilter(request_id="req-1"), "boot"),
        (OperationFilter(request_id="req-all"), "move"),
        (OperationFilter(background=True), "timer"),
        (OperationFilter(background=False), "move boot"),
        (OperationFilter(project_id="other"), "move"),
        (OperationFilter(recording_id=1), "timer move boot"),
        (OperationFilter(recording_id=2), ""),
        (OperationFilter(since_ns=START + 2 * SECOND), "timer move"),
        (OperationFilter(until_ns=START + 2 * SECOND), "boot"),
        (OperationFilter(limit=1), "timer"),
        (OperationFilter(limit=1, offset=1), "move"),
        (OperationFilter(offset=1), "move boot"),
        (OperationFilter(limit=0), ""),
        (OperationFilter(kind="create", instance="vm-2"), ""),
    ],
    ids=str,
)
def test_operations_are_found_by_what_people_know_of_them(store: Store, wanted: OperationFilter, found: str) -> None:
    operations = three_operations(store)
    assert list(store.reader().operations(wanted)) == [operations[word] for word in found.split()]


def test_all_parts_of_an_operation_come_when_one_matches(store: Store) -> None:
    first, base = begun(store, scope="cell 1")
    second, other = begun(store, scope="cell 2")
    part = make_operation(base + 1, request_id="req-1", kind="create")
    rest = make_operation(other + 5, request_id="req-1", kind="", kind_rank=0, instances=())
    alone = make_operation(other + 3, request_id="req-2", kind="resize")
    first.write(Batch(recording_id=recording_of(base), operations=(part,)))
    second.write(Batch(recording_id=recording_of(other), operations=(rest, alone)))
    reader = store.reader()
    assert list(reader.operations(OperationFilter(kind="create"))) == [rest, part]
    assert list(reader.operations(OperationFilter(limit=1))) == [rest, part]
    assert list(reader.operations(OperationFilter(recording_id=recording_of(base), limit=5))) == [rest, part]
    assert list(reader.operations(OperationFilter(limit=1, offset=1))) == [alone]


def test_totals_are_those_of_the_calls_added_up(store: Store) -> None:
    writer, base = begun(store)
    random = Random(5)
    operations = (
        make_operation(base + 1, kind="create"),
        make_operation(base + 2, kind="create", background=True),
        make_operation(base + 3, kind=""),
    )
    calls = [
        make_call(
            base + n,
            kind=random.choice(list(MessageKind)),
            method=random.choice(["a", "b", ""]),
            outcome=random.choice(list(Outcome)),
            flags=random.choice([0, int(Flag.EXPECTED_FAILURE), 31]),
            operation_id=random.choice([0, base + 1, base + 2, base + 3]),
            cause_id=random.choice([0, base + 1, base + 2]),
            replied_ns=random.choice([None, START + 10**13]),
            closed=n < 250,
        )
        for n in range(300)
    ]
    batch = Batch(
        recording_id=recording_of(base),
        operations=operations,
        calls=tuple(call for call in calls if call.closed),
        open_calls=tuple(call for call in calls if not call.closed),
    )
    writer.write(batch)
    totals = store.reader().method_totals()
    assert [(t.operation_kind, t.call_kind, t.method) for t in totals] == sorted(
        {("create" if call.operation_id in (base + 1, base + 2) else "", call.kind, call.method) for call in calls}
    )
    answered = [call for call in calls if call.replied_ns is not None]
    assert sum(t.calls for t in totals) == 300
    assert sum(t.answered for t in totals) == len(answered)
    assert sum(t.answer_ns for t in totals) == sum(START + 10**13 - (call.published_ns or 0) for call in answered)
    for word in ("publishes", "replies", "heartbeats", "copies", "request_bytes", "reply_bytes"):
        assert sum(getattr(t, word) for t in totals) == sum(getattr(call, word) for call in calls)
    failed = [call for call in calls if call.outcome is Outcome.FAILED]
    assert sum(t.failed for t in totals) == len(failed)
    assert sum(t.expected_failures for t in totals) == sum(bool(call.flags & 16) for call in failed)
    assert sum(t.timed_out for t in totals) == sum(call.outcome is Outcome.TIMED_OUT for call in calls)


@pytest.mark.parametrize("by", ["request", "cause"])
@pytest.mark.parametrize(("kind", "background"), [("create", None), (None, True), ("create", False), ("none", None)])
def test_totals_may_be_those_of_some_operations(
    store: Store, by: str, kind: str | None, background: bool | None
) -> None:
    writer, base = begun(store)
    kinds = {base + 1: ("create", False), base + 2: ("create", True), base + 3: ("resize", False)}
    calls = [
        make_call(base + n, operation_id=base + n % 4, cause_id=base + n % 3 + 1, closed=n % 2 == 0) for n in range(40)
    ]
    writer.write(
        Batch(
            recording_id=recording_of(base),
            operations=tuple(make_operation(id_, kind=k, background=b) for id_, (k, b) in kinds.items()),
            calls=tuple(call for call in calls if call.closed),
            open_calls=tuple(call for call in calls if not call.closed),
        )
    )
    owners = [call.operation_id if by == "request" else call.cause_id for call in calls]
    expected = [
        kinds[owner]
        for owner in owners
        if owner in kinds and kind in (None, kinds[owner][0]) and background in (None, kinds[owner][1])
    ]
    totals = store.reader().method_totals(by=by, kind=kind, background=background)  # type: ignore[arg-type]
    assert sum(total.calls for total in totals) == len(expected)
    assert {total.operation_kind for total in totals} == {k for k, _ in expected}


def test_request_ids_are_found_by_the_ids_of_operations(store: Store) -> None:
    writer, base = begun(store)
    operations = tuple(make_operation(base + n) for n in (1, 2))
    writer.write(Batch(recording_id=recording_of(base), operations=operations))
    assert store.reader().request_ids([base + 2, base + 3, 0]) == {base + 2: f"req-{base + 2}"}


def test_totals_of_a_recording_are_what_it_began(store: Store) -> None:
    writer, base = begun(store)
    other, other_base = begun(store)
    calls = (
        make_call(base + 1, kind=MessageKind.CAST),
        make_call(base + 2, kind=MessageKind.REPLY),
        make_call(base + 3, publishes=0, flags=int(Flag.NO_REQUEST)),
    )
    waiting = (make_call(base + 4, closed=False),)
    operations = (make_operation(base + 1), make_operation(base + 2, request_id=""))
    batch = Batch(recording_id=recording_of(base), operations=operations, calls=calls, open_calls=waiting)
    writer.write(batch)
    other.write(Batch(recording_id=recording_of(other_base), calls=(make_call(other_base + 1),)))
    totals = store.reader().recording_totals(recording_of(base))
    assert (totals.operations, totals.rpcs) == (1, 2)
