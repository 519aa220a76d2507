"""A tap that gets requests alone: what it can not know is unknown, and what it says is right."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rpcscope.model import (
    Call,
    Flag,
    MessageKind,
    Operation,
    Outcome,
    Resume,
    Sighting,
    Status,
)
from rpcscope.pipeline import Recorder
from rpcscope.rules import load_rules
from tests.support.bus import Bus, Service
from tests.support.memory import Given, Memory, record
from tests.support.requests_only import only_requests, requests, sightings

CAPTURES = Path(__file__).parents[1] / "captures"
ALL = sorted(CAPTURES.glob("nova34*/*.jsonl.zst"))
WITH_PARENTS = sorted((CAPTURES / "nova34-parents").glob("*.jsonl.zst"))


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def clerk(bus: Bus) -> Service:
    """Somebody who is asked."""
    return bus.service("nova-conductor", "conductor")


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name.partition('.')[0]}"


def of_bindings(resume: Resume) -> Resume:
    return replace(resume, recording=replace(resume.recording, tap_mode="bindings"))


def watched(events: list[Sighting], into: Memory | None = None, **options: bool) -> Memory:
    """A recorder's run in mode bindings."""
    memory = into or Memory()
    recorder = Recorder(memory, of_bindings(memory.resume()), load_rules(), **options)
    recorder.run(Given(events))
    recorder.end()
    return memory


def own(call: Call) -> bool:
    return call.kind not in (MessageKind.REPLY, MessageKind.HEARTBEAT) and bool(call.exchange)


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_every_request_is_counted_once_and_nothing_is_claimed_of_its_end(path: Path) -> None:
    whole, seen = record(sightings(path)), watched(requests(path))
    assert {c.unique_id for c in seen.calls()} == {c.unique_id for c in whole.calls() if own(c) and c.publishes}
    assert {c.outcome for c in seen.calls()} <= {Outcome.NONE}
    assert not any(c.replied_ns or c.delivered_ns or c.replies or c.copies for c in seen.calls())
    assert {c.to_process for c in seen.calls()} <= {0}
    for one in seen.operations.values():
        full = whole.operation(one.request_id)
        got, want = one.by_request, full.by_request
        assert (got.calls, got.casts, got.fanouts) == (want.calls, want.casts, want.fanouts)
        assert (one.kind, one.instances, one.source_host, one.dest_host) == (
            full.kind, full.instances, full.source_host, full.dest_host,
        )  # fmt: skip


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_a_status_is_the_true_one_or_unknown(path: Path) -> None:
    whole, seen = record(sightings(path)), watched(requests(path))
    for one in seen.operations.values():
        assert one.status in (whole.operation(one.request_id).status, Status.UNKNOWN), one


@pytest.mark.parametrize(
    ("capture", "kind"),
    [
        ("nova34/02_boot_10_serial", "create"),
        ("nova34/05_delete_1", "delete"),
        ("nova34/10_drain_serial_6", "live-migration"),
        ("nova34/12_evacuate_6", "evacuate"),
    ],
)
def test_an_end_that_is_a_request_is_seen(capture: str, kind: str) -> None:
    memory = watched(requests(CAPTURES / f"{capture}.jsonl.zst"))
    found: list[Operation] = [one for one in memory.operations.values() if one.kind == kind]
    assert found
    assert {one.status for one in found} == {Status.DONE}
    assert all(one.finished_ns is not None for one in found)


def test_a_boot_that_no_host_takes_ends_with_a_reply_so_its_status_is_unknown() -> None:
    memory = watched(requests(CAPTURES / "nova34" / "14_boot_no_valid_host.jsonl.zst"))
    (boot,) = [one for one in memory.operations.values() if one.kind == "create"]
    assert (boot.status, boot.owed_call, boot.finished_ns) == (Status.UNKNOWN, 0, None)


def truth_of(path: Path) -> dict[str, str | None]:
    text = Path(str(path).replace(".jsonl.zst", ".parents.json")).read_text("utf-8")
    truth: dict[str, str | None] = json.loads(text)
    return truth


@pytest.mark.parametrize("snapshots", [False, True], ids=["no management", "management"])
@pytest.mark.parametrize("path", WITH_PARENTS, ids=name_of)
def test_parents_are_right_in_95_of_100_where_spans_tell_the_truth(path: Path, snapshots: bool) -> None:
    truth, memory = truth_of(path), watched(requests(path, snapshots=snapshots), use_traceparent=False)
    right = [unique_id for unique_id, parent in truth.items() if memory.parent(unique_id) == (parent or "")]
    assert len(right) >= 0.95 * len(truth)


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_parents_are_those_that_a_whole_recording_shows(path: Path) -> None:
    whole, seen = record(sightings(path)), watched(requests(path))
    calls = [call for call in seen.calls() if call.kind is not MessageKind.NOTIFICATION]
    right = [call for call in calls if call.parent_unique_id == whole.parent(call.unique_id)]
    assert len(right) >= 0.95 * len(calls)


# ------------------------------------------------------------------ who


def test_callers_are_told_apart_by_their_reply_queues_and_others_are_unknown(bus: Bus, clerk: Service) -> None:
    one, two = bus.service("gunicorn"), bus.service("gunicorn")
    calls = [bus.call(sender, clerk, "ping", {}, request_id=bus.request_id()) for sender in (one, two, one)]
    cast = bus.cast(one, clerk, "note", {}, request_id=bus.request_id())
    memory = watched(only_requests(bus.events))
    first, second, third = (memory.call(each.unique_id).from_process for each in calls)
    assert first == third != second
    assert (memory.process(first).key, memory.process(first).program) == (one.reply_q, "")
    assert memory.call(cast.unique_id).from_process == 0


def test_a_snapshot_of_the_consumers_names_who_waits_at_a_reply_queue(bus: Bus, clerk: Service) -> None:
    compute = bus.service("nova-compute", "compute", "compute-1")
    call = bus.call(compute, clerk, "ping", {}, request_id=bus.request_id())
    memory = watched([*only_requests(bus.events), bus.topology()])
    process = memory.process(memory.call(call.unique_id).from_process)
    assert (process.program, process.pid, process.host) == ("nova-compute", compute.pid, "compute-1")


# ------------------------------------------------------------------ what is not claimed


def test_time_that_passes_makes_no_call_late_and_no_operation_owed(bus: Bus, clerk: Service) -> None:
    request_id = bus.request_id()
    call = bus.call(bus.service("gunicorn"), clerk, "ping", {}, request_id=request_id, timeout_ms=1000)
    bus.wait(3600)
    bus.cast(clerk, clerk, "later", {}, request_id=bus.request_id())
    memory = watched(only_requests(bus.events))
    assert memory.closed[memory.call(call.unique_id).id].outcome is Outcome.NONE
    operation = memory.operation(request_id)
    assert (operation.status, operation.error, operation.owed_call) == (Status.UNKNOWN, "", 0)


def test_a_cast_whose_end_would_be_seen_is_still_owed(bus: Bus, clerk: Service) -> None:
    compute = bus.service("nova-compute", "compute", "compute-1")
    request_id = bus.request_id()
    bus.cast(clerk, compute, "stop_instance", {}, request_id=request_id, server="compute-1")
    operation = watched(only_requests(bus.events)).operation(request_id)
    assert (operation.status, operation.owed_method) == (Status.RUNNING, "stop_instance")
    assert operation.owed_host == "compute-1"


def test_a_call_that_a_whole_recording_left_open_does_not_time_out_in_the_dark(bus: Bus, clerk: Service) -> None:
    request_id = bus.request_id()
    asked = bus.call(bus.service("gunicorn"), clerk, "ping", {}, request_id=request_id, timeout_ms=1000)
    memory = record(bus.events, ended=False)
    before = len(bus.events)
    bus.wait(10)
    bus.cast(clerk, clerk, "later", {}, request_id=bus.request_id())
    watched(only_requests(bus.events[before:]), memory)
    assert memory.call(asked.unique_id).outcome is Outcome.NONE
    assert memory.operation(request_id).status is Status.UNKNOWN


def test_a_call_of_which_only_the_request_was_seen_does_not_time_out_in_a_later_whole_recording(
    bus: Bus, clerk: Service
) -> None:
    asked = bus.call(bus.service("gunicorn"), clerk, "ping", {}, request_id=bus.request_id(), timeout_ms=1000)
    memory = Memory()
    recorder = Recorder(memory, of_bindings(memory.resume()), load_rules())
    recorder.run(Given(only_requests(bus.events)))
    assert memory.open, "it is closed once it can not be told twice"
    before = len(bus.events)
    bus.wait(10)
    bus.cast(clerk, clerk, "later", {}, request_id=bus.request_id())
    record(bus.events[before:], into=memory)
    assert memory.call(asked.unique_id).outcome is Outcome.NONE


def test_a_reply_that_is_seen_all_the_same_is_believed(bus: Bus, clerk: Service) -> None:
    asked = bus.call(bus.service("gunicorn"), clerk, "ping", {}, request_id=bus.request_id())
    bus.reply(asked)
    memory = watched(list(bus.events))
    assert memory.call(asked.unique_id).outcome is Outcome.OK


def test_a_publish_that_is_tried_again_is_counted_and_flagged(bus: Bus, clerk: Service) -> None:
    asked = bus.call(bus.service("gunicorn"), clerk, "ping", {}, request_id=bus.request_id())
    bus.publish(asked)
    call = watched(only_requests(bus.events)).call(asked.unique_id)
    assert (call.publishes, Flag(call.flags)) == (2, Flag.REPUBLISHED)
