"""Runs of the emulator come back as they were told, and what one recording has is counted apart from all others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rpcscope.model import Batch, MessageKind, Status, Tally
from rpcscope.store import Store
from rpcscope.store.run_rows import Run, RunState
from tests.contract.records import SECOND, START, begun, make_call, make_operation, recording_of

END = START + 1_000 * SECOND


def make_run(**words: Any) -> Run:
    defaults: dict[str, Any] = {
        "label": "Köln \N{RIGHT-TO-LEFT OVERRIDE}",
        "what": "rolling-update",
        "vhost": "rpcscope-rolling-update-0a1b2c3d",
        "started_ns": START,
        "heard_ns": START,
        "asked": {"parameters": {"batch": 4, "zone": "a\0b"}, "speed": 2.5},
        "expected": {"kinds": {"live-migration": {"asked": 7, "took_p50_s": None}}},
        "outcome": {},
    }
    return Run(**(defaults | words))


def test_a_run_comes_back_as_it_was_told_last(store: Store) -> None:
    writer, one = store.writer(), make_run()
    number = writer.begin_run(one)
    assert store.reader().run(number) == replace(one, id=number)
    writer.tell_run(number, state=RunState.RUNNING, at_ns=START + 5, outcome={"sent": 3})
    writer.tell_run(number, state=RunState.INTERRUPTED, at_ns=START + 9, outcome={"sent": 4}, ended=True)
    told = replace(
        one, id=number, state=RunState.INTERRUPTED, heard_ns=START + 9, ended_ns=START + 9, outcome={"sent": 4}
    )
    assert store.reader().run(number) == told
    assert store.reader().run(number + 1) is None


def test_runs_are_paged_from_the_newest(store: Store) -> None:
    writer = store.writer()
    numbers = [writer.begin_run(make_run(label=str(n))) for n in range(5)]
    reader = store.reader()
    first = reader.runs(2)
    assert [one.id for one in first] == numbers[:2:-1]
    assert [one.id for one in reader.runs(9, before_id=first[-1].id)] == numbers[2::-1]


def test_a_plan_of_many_methods_is_kept_whole(store: Store) -> None:
    expected = {"methods": {f"object_action(Thing.method_{n})": {"rpcs": n} for n in range(3_000)}}
    number = store.writer().begin_run(make_run(expected=expected))
    found = store.reader().run(number)
    assert found is not None
    assert found.expected == expected


def test_old_runs_are_pruned(store: Store) -> None:
    writer = store.writer()
    old, new = writer.begin_run(make_run()), writer.begin_run(make_run(heard_ns=END))
    assert writer.prune(END)["run"] == 1
    assert (store.reader().run(old), bool(store.reader().run(new))) == (None, True)


def test_operations_of_a_recording_are_counted_by_kind_and_status(store: Store) -> None:
    writer, base = begun(store)
    _, other = begun(store)
    tally = Tally(calls=2, casts=1, fanouts=1, replies=2, heartbeats=1, bytes=100)
    more = {"by_cause": tally, "status": Status.DONE, "started_ns": START + 1}
    done = [make_operation(base + n, finished_ns=START + 1 + n, **more) for n in (1, 2)]
    failed = make_operation(base + 3, **more | {"status": Status.FAILED})
    timer = make_operation(base + 4, kind="periodic:x", background=True, **more)
    late = make_operation(base + 5, **more | {"started_ns": END})
    writer.write(Batch(recording_id=recording_of(base), operations=(*done, failed, timer, late)))
    store.writer().write(Batch(recording_id=recording_of(other), operations=(make_operation(other + 1, **more),)))
    reader, mine = store.reader(), recording_of(base)
    assert [
        (one.kind, one.background, one.status, one.operations, one.rpcs, one.messages, one.bytes)
        for one in reader.recorded_kinds(mine, START, END)
    ] == [
        ("create", False, Status.DONE, 2, 8, 14, 200),
        ("create", False, Status.FAILED, 1, 4, 7, 100),
        ("periodic:x", True, Status.DONE, 1, 4, 7, 100),
    ]
    durations = reader.recorded_durations(mine, START, END)
    assert {kind: sorted(some) for kind, some in durations.items()} == {"create": [1, 2]}


def test_rpcs_of_a_recording_are_counted_by_method_without_those_of_timers(store: Store) -> None:
    writer, base = begun(store)
    asked, timer = make_operation(base + 1), make_operation(base + 2, kind="periodic:x", background=True)
    start = make_operation(base + 3, kind="startup:ping", background=True)
    calls = (
        make_call(base + 11, cause_id=asked.id, method="save"),
        make_call(base + 12, cause_id=asked.id, method="save"),
        make_call(base + 13, cause_id=asked.id, method="tell", kind=MessageKind.FANOUT, replies=0, heartbeats=0),
        make_call(base + 14, cause_id=timer.id, method="save"),
        make_call(base + 15, cause_id=asked.id, method="instance.update", kind=MessageKind.NOTIFICATION),
        make_call(base + 16, cause_id=start.id, method="ping"),
    )
    writer.write(Batch(recording_id=recording_of(base), operations=(asked, timer, start), calls=calls))
    found = store.reader().recorded_methods(recording_of(base), START, END)
    assert [(one.method, one.kind, one.rpcs, one.messages, one.bytes) for one in found] == [
        ("save", MessageKind.REQUEST, 2, 12, 2_200),
        ("ping", MessageKind.REQUEST, 1, 6, 1_100),
        ("tell", MessageKind.FANOUT, 1, 1, 1_100),
    ]
    assert store.reader().recorded_methods(recording_of(base), END, END + 1) == []
