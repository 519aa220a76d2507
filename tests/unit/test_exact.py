"""Recordings of a real nova give the numbers that were counted of them by hand."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from rpcscope.capture import CaptureReader
from rpcscope.model import MessageKind, Operation, Outcome, Status
from tests.support.memory import Memory, record

CAPTURES = Path(__file__).parents[1] / "captures"
PLAIN = sorted(p for folder in ("nova34", "nova34-notifications") for p in (CAPTURES / folder).glob("*.jsonl.zst"))
WITH_PARENTS = sorted((CAPTURES / "nova34-parents").glob("*.jsonl.zst"))
TRUTH: dict[str, Any] = json.loads((CAPTURES / "ground_truth.json").read_text("utf-8"))
KINDS = {
    "boot": "create",
    "delete": "delete",
    "live-migrate": "live-migration",
    "live-migrate to stopped compute": "live-migration",
    "drain": "live-migration",
    "evacuate": "evacuate",
    "console-output (call to stopped compute)": "get_console_output",
    "service-disable": "set_host_enabled",
    "service-enable": "set_host_enabled",
}


def name_of(path: Path) -> str:
    name = path.name.removesuffix(".jsonl.zst")
    return f"notifications/{name}" if path.parent.name == "nova34-notifications" else name


@lru_cache(32)
def recorded(path: Path, *, use_traceparent: bool = True) -> Memory:
    """What a recorder makes of a capture, read as the command line reads it."""
    with CaptureReader(path) as reader:
        sightings = [one for batch in reader.batches() for one in batch]
        assert not reader.rejected
    return record(sightings, use_traceparent=use_traceparent)


def labelled(path: Path) -> dict[str, tuple[str, Operation]]:
    """Operations that a person asked for: request id -> what was asked, what is known of it."""
    rows = TRUTH[name_of(path)]["operations"]
    return {rid: (row["label"], recorded(path).operation(rid)) for rid, row in rows.items() if row["messages"]}


def test_every_capture_with_a_ground_truth_is_here() -> None:
    assert {name_of(path) for path in PLAIN} == set(TRUTH), "copy the captures into tests/captures"
    assert len(WITH_PARENTS) >= 3


@pytest.mark.parametrize("path", PLAIN, ids=name_of)
def test_messages_and_bytes_of_every_request_id_are_those_counted_by_hand(path: Path) -> None:
    memory, truth = recorded(path), TRUTH[name_of(path)]
    rows = {rid: row for rid, row in {**truth["operations"], **truth["other_request_ids"]}.items() if row["messages"]}
    found = {one.request_id: one for one in memory.operations.values()}
    assert set(found) == set(rows)
    for request_id, row in rows.items():
        tally = found[request_id].by_request
        for column in ("calls", "casts", "fanouts", "replies", "notifications", "messages", "bytes"):
            assert getattr(tally, column) == row[column], f"{column} of {request_id}"
        assert tally.copies == row["delivered"]
        assert tally.heartbeats == 0


@pytest.mark.parametrize("path", PLAIN, ids=name_of)
def test_all_that_was_recorded_is_counted(path: Path) -> None:
    memory, truth = recorded(path), TRUTH[name_of(path)]
    counters = memory.counters
    assert counters.seen == counters.decoded == truth["published"] + truth["delivered"]
    assert (counters.messages, counters.copies) == (truth["published"], truth["delivered"])
    assert (counters.rejected, counters.duplicates, counters.evicted) == (0, 0, 0)
    failed = [call for call in memory.calls() if call.failure]
    assert len(failed) == truth["failures_in_replies"]
    by_cause = sum(one.by_cause.bytes for one in memory.operations.values())
    assert by_cause == sum(one.by_request.bytes for one in memory.operations.values()) == truth["bytes"]


@pytest.mark.parametrize("path", PLAIN, ids=name_of)
def test_what_a_person_asked_for_has_its_kind(path: Path) -> None:
    for label, found in labelled(path).values():
        assert found.kind == KINDS[label]
        assert not found.background
        assert found.complete
    others = [one for one in recorded(path).operations.values() if one.request_id not in labelled(path)]
    assert all(one.background for one in others)


@pytest.mark.parametrize("path", PLAIN, ids=name_of)
def test_what_went_well_is_done_and_what_did_not_has_failed(path: Path) -> None:
    for label, found in labelled(path).values():
        fails = "stopped compute" in label or "no_valid_host" in path.name
        assert found.status is (Status.FAILED if fails else Status.DONE)
        assert found.owed_call == 0


@pytest.mark.parametrize("path", PLAIN, ids=name_of)
def test_hosts_are_named_where_there_is_one(path: Path) -> None:
    hosts = {"compute-1", "compute-2", "compute-3"}
    for _, found in labelled(path).values():
        if found.status is not Status.DONE:
            continue
        if found.kind in ("live-migration", "evacuate"):
            assert {found.source_host, found.dest_host} < hosts
        elif found.kind == "create":
            assert (found.source_host, found.dest_host in hosts) == ("", True)
        elif found.kind == "delete":
            assert (found.source_host in hosts, found.dest_host) == (True, "")


@pytest.mark.parametrize(
    ("capture", "kind", "by_request", "by_cause"),
    [
        ("nova34/01_boot_1", "create", 27, 29),
        ("nova34/02_boot_10_serial", "create", 27, 29),
        ("nova34/05_delete_1", "delete", 24, 26),
        ("nova34/09_live_migrate_no_host", "live-migration", 83, 85),
        ("nova34/10_drain_serial_6", "live-migration", 83, 85),
        ("nova34/12_evacuate_6", "evacuate", 39, 41),
        ("nova34-notifications/01_boot_1", "create", 38, 40),
        ("nova34-otlp/01_boot_1", "create", 27, 29),
    ],
)
def test_the_founding_question_has_its_answer(capture: str, kind: str, by_request: int, by_cause: int) -> None:
    memory = recorded(CAPTURES / f"{capture}.jsonl.zst")
    found = [one for one in memory.operations.values() if one.kind == kind]
    assert found
    for one in found:
        assert (one.by_request.messages, one.by_cause.messages) == (by_request, by_cause)


@pytest.mark.parametrize("path", WITH_PARENTS, ids=name_of)
def test_parents_are_found_without_any_trace_context(path: Path) -> None:
    truth: dict[str, str | None] = json.loads(Path(str(path).replace(".jsonl.zst", ".parents.json")).read_text("utf-8"))
    memory = recorded(path, use_traceparent=False)
    got = {unique_id: memory.parent(unique_id) for unique_id in truth}
    right = [unique_id for unique_id, parent in truth.items() if got[unique_id] == (parent or "")]
    assert len(right) >= 0.995 * len(truth)
    roots = {unique_id for unique_id, parent in truth.items() if parent is None}
    assert roots
    assert not [unique_id for unique_id in roots if got[unique_id]], "a true root was given a parent"


@pytest.mark.parametrize("path", WITH_PARENTS, ids=name_of)
def test_parents_are_found_with_a_trace_context_too(path: Path) -> None:
    truth: dict[str, str | None] = json.loads(Path(str(path).replace(".jsonl.zst", ".parents.json")).read_text("utf-8"))
    memory = recorded(path)
    right = [unique_id for unique_id, parent in truth.items() if memory.parent(unique_id) == (parent or "")]
    assert len(right) >= 0.995 * len(truth)


def test_a_stopped_compute_leaves_late_replies_and_one_caller_without_an_answer_in_time() -> None:
    memory = recorded(CAPTURES / "nova34" / "16_rpc_timeout_sigstop.jsonl.zst")
    late = [call for call in memory.calls() if call.outcome is Outcome.TIMED_OUT]
    assert "get_console_output" in {call.method for call in late}
    for call in late:
        assert call.published_ns is not None
        assert call.expiration_ms is not None
        assert call.replied_ns is not None
        assert call.replied_ns - call.published_ns > call.expiration_ms * 1_000_000


@pytest.mark.parametrize("path", PLAIN, ids=name_of)
def test_every_process_has_its_name_and_every_compute_its_host(path: Path) -> None:
    memory = recorded(path)
    used = {n for call in memory.calls() for n in (call.from_process, call.to_process) if n}
    for number in used:
        process = memory.process(number)
        assert process.program
        assert process.pid
        if process.program == "nova-compute" and process.role:
            assert process.host.startswith("compute-")


@pytest.mark.parametrize("path", [p for p in PLAIN if "live_migrate" in p.name], ids=name_of)
def test_a_recorder_that_is_restarted_all_the_time_counts_the_same(path: Path) -> None:
    with CaptureReader(path) as reader:
        sightings = [one for batch in reader.batches() for one in batch]
    memory = Memory()
    for start in range(0, len(sightings), 37):
        record(sightings[start : start + 37], into=memory)
    for request_id, row in TRUTH[name_of(path)]["operations"].items():
        parts = memory.parts(request_id)
        assert sum(one.by_request.messages for one in parts) == row["messages"]
        assert sum(one.by_request.bytes for one in parts) == row["bytes"]
        assert sum(one.by_request.copies for one in parts) == row["delivered"]
    assert not memory.parts("")


def test_calls_that_are_casts_have_no_outcome() -> None:
    memory = recorded(CAPTURES / "nova34" / "01_boot_1.jsonl.zst")
    for call in memory.calls():
        assert (call.outcome is Outcome.NONE) == (call.kind is not MessageKind.REQUEST)
