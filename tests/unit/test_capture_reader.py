"""Captures of both formats are read in order, the same each time, with their snapshots."""

import gzip
import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
import zstandard

from rpcscope.capture import CaptureReader, CaptureWriter, Header, Scrubber
from rpcscope.model import Connection, Consumer, Gap, GapCause, Observation, Topology
from rpcscope.rules import load_rules
from tests.support.wire import (
    ALL_CAPTURES,
    CAPTURES,
    CONNECTION,
    RAW_CAPTURES,
    enveloped,
    jsonl,
    observations,
    raw_line,
    request,
    seen,
    sightings,
)

RAW = CAPTURES / "raw" / "nova34" / "01_boot_1.jsonl.zst"
CLIENT = "nova-compute:17:6d6d5a8b-f313-4176-80d4-3729b0a4a82b"


def management(**parts: Any) -> bytes:
    return gzip.compress(json.dumps(parts).encode())


def connection(name: str = CONNECTION) -> dict[str, Any]:
    return {
        "name": name,
        "client_properties": {"connection_name": CLIENT},
        "peer_host": "10.0.0.7",
        "node": "rabbit@ctl-1",
    }


CONSUMER = {"channel_details": {"connection_name": CONNECTION}, "queue": {"name": "compute.host-1"}}
KNOWN = Connection(name=CONNECTION, client_name=CLIENT, peer_host="10.0.0.7", node="rabbit@ctl-1")


@pytest.mark.parametrize("path", ALL_CAPTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_capture_of_the_tests_is_read_to_its_end(path: Path) -> None:
    with CaptureReader(path) as reader:
        found = [one for batch in reader.batches() for one in batch]
        assert (reader.rejected, reader.problem, reader.clock_steps) == (0, "", 0)
        assert reader.bytes_read == reader.total_bytes == path.stat().st_size
    events = [one for one in found if isinstance(one, Observation)]
    assert [one.seq for one in events] == list(range(1, len(events) + 1))
    assert [one.at_ns for one in events] == sorted(one.at_ns for one in events)


def test_a_scrubbed_copy_is_the_same_recording_as_its_original() -> None:
    with CaptureReader(RAW) as raw, CaptureReader(CAPTURES / "nova34" / RAW.name) as scrubbed:
        assert raw.digest == scrubbed.digest == hashlib.sha256(RAW.read_bytes()).hexdigest()
        assert raw.label == scrubbed.label == "01_boot_1"
        assert (raw.is_raw, scrubbed.is_raw) == (True, False)
        assert "fake virt driver" in scrubbed.conditions
    with CaptureReader(RAW) as raw, CaptureReader(CAPTURES / "nova34" / RAW.name) as scrubbed:
        times = [[one.at_ns for b in r.batches() for one in b if isinstance(one, Observation)] for r in (raw, scrubbed)]
    assert times[0] == times[1]


def test_plain_gzip_and_zstd_hold_the_same(tmp_path: Path) -> None:
    text = jsonl([raw_line(n) for n in range(1, 50)])
    frames = [zstandard.compress(text[at : at + 1000]) for at in range(0, len(text), 1000)]
    (tmp_path / "a.jsonl").write_bytes(text)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(text[:999]) + gzip.compress(text[999:]))
    (tmp_path / "a.jsonl.zst").write_bytes(b"".join(frames))
    found = [observations(path) for path in sorted(tmp_path.iterdir())]
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 49


def test_a_body_in_base64_is_a_body(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(jsonl([raw_line(1, body=None, body_b64="AAH/", body_len=3), raw_line(2, body="x", body_len=9)]))
    assert [(one.body, one.size) for one in observations(path)] == [(b"\x00\x01\xff", 3), (b"x", 9)]


@pytest.mark.parametrize("length", ["x", -1, 1 << 40, 1.5, True])
def test_an_absurd_length_is_replaced_by_the_bodys_own(tmp_path: Path, length: object) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(jsonl([raw_line(1, body="four", body_len=length)]))
    assert observations(path)[0].size == 4


def test_events_out_of_order_within_the_window_come_in_order(tmp_path: Path) -> None:
    rows = [raw_line(n) for n in range(1, 6001)]
    near = rows[:]
    for start in range(0, 6000, 2000):
        part = near[start : start + 2000]
        random.Random(7).shuffle(part)
        near[start : start + 2000] = part
    path = tmp_path / "a.jsonl"
    path.write_bytes(jsonl(near))
    assert [one.seq for one in observations(path)] == list(range(1, 6001))


def test_the_same_file_gives_the_same_order_each_time(tmp_path: Path) -> None:
    rows = [raw_line(n % 7, recv_mono_ns=1_310_000_000_000 + n % 3) for n in range(500)]
    random.Random(3).shuffle(rows)
    path = tmp_path / "a.jsonl"
    path.write_bytes(jsonl(rows))
    with CaptureReader(path) as one, CaptureReader(path) as other:
        small = [seen for batch in one.batches(max_events=7) for seen in batch]
        large = [seen for batch in other.batches() for seen in batch]
    assert small == large


def test_no_batch_is_larger_than_asked_for() -> None:
    with CaptureReader(RAW) as reader:
        assert {len(batch) for batch in reader.batches(max_events=29)} == {29}  # 2 + 114 - 1 + 1 + 0 = 4 * 29


def test_snapshots_beside_a_raw_capture_come_first_and_the_last_one_again(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.zst").write_bytes(zstandard.compress(jsonl([raw_line(1)])))
    (tmp_path / "a.mgmt.json.gz").write_bytes(
        management(
            at_end={"connections": [connection()], "consumers": [CONSUMER]},
            during={"connections": [connection()]},
            at_start={"connections": [], "consumers": []},
        )
    )
    start = Topology(at_ns=0, connections=(), consumers=())
    during = Topology(at_ns=0, connections=(KNOWN,), consumers=(), complete=False)
    end = Topology(at_ns=0, connections=(KNOWN,), consumers=(Consumer(connection=CONNECTION, queue="compute.host-1"),))
    first, second, third, event, last = sightings(tmp_path / "a.jsonl.zst")
    assert [first, second, third, last] == [start, during, end, end]
    assert isinstance(event, Observation)


@pytest.mark.parametrize(
    "part",
    [
        {"connections": "x", "consumers": 17},
        {"connections": [None, 1, {}, {"name": 5}], "consumers": [{}, {"queue": 5, "channel_details": []}]},
        {"connections": [{"name": "", "client_properties": [1]}]},
    ],
)
def test_snapshot_entries_of_another_shape_are_left_out(tmp_path: Path, part: dict[str, Any]) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl([raw_line(1)]))
    (tmp_path / "a.mgmt.json.gz").write_bytes(management(at_end=part, at_start=None, during=[1]))
    assert sightings(tmp_path / "a.jsonl")[0] == Topology(at_ns=0, connections=(), consumers=())


def test_a_client_name_that_is_not_oslo_messagings_is_left_out(tmp_path: Path) -> None:
    rows = [
        {**connection(), "client_properties": {"connection_name": name}} for name in ("my Secret tool", "a:b:c", CLIENT)
    ]
    (tmp_path / "a.jsonl").write_bytes(jsonl([raw_line(1)]))
    (tmp_path / "a.mgmt.json.gz").write_bytes(management(at_end={"connections": rows}))
    topology = sightings(tmp_path / "a.jsonl")[0]
    assert isinstance(topology, Topology)
    assert [one.client_name for one in topology.connections] == ["", "", CLIENT]


@pytest.mark.parametrize(
    "content",
    [b"", b"text", gzip.compress(b"[]"), gzip.compress(b'{"at_end": {}}')[:-9]],
    ids=["empty", "text", "a list", "cut short"],
)
def test_snapshots_that_can_not_be_read_are_said_and_the_events_are_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl([raw_line(1)]))
    (tmp_path / "a.mgmt.json.gz").write_bytes(content)
    with CaptureReader(tmp_path / "a.jsonl") as reader:
        assert len([one for batch in reader.batches() for one in batch]) == 1
        assert reader.problem == "a.mgmt.json.gz can not be read: processes will be shown without their names"


def test_gaps_and_snapshots_of_our_own_format_are_read(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl.zst"
    event = seen(enveloped(request()))
    gap = Gap(from_ns=event.at_ns - 9, to_ns=event.at_ns - 5, cause=GapCause.DROPPED, estimate=3)
    end = Topology(at_ns=event.at_ns + 1, connections=(KNOWN,), consumers=(Consumer(connection=CONNECTION, queue="q"),))
    with CaptureWriter(path, Header(label="l", mode="control", conditions="c"), Scrubber(load_rules())) as writer:
        for one in (event, gap, end):
            writer.write(one)
    with CaptureReader(path) as reader:
        first, second, third, fourth, last = [one for batch in reader.batches() for one in batch]
        assert (reader.label, reader.mode, reader.conditions, reader.source) == ("l", "control", "c", "firehose")
    assert (first, second, fourth, last) == (end, gap, end, end)
    assert isinstance(third, Observation)


def test_text_of_a_header_is_one_printable_line(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    hostile = {
        "rpcscope_capture": 1,
        "label": "a\nb\u202ec\x00",
        "conditions": 17,
        "mode": "x" * 9000,
        "digest": "../..",
    }
    path.write_bytes(jsonl([hostile]))
    with CaptureReader(path) as reader:
        assert (reader.label, reader.conditions, len(reader.mode)) == ("abc", "", 500)
        assert reader.digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("at_ns", [-1, 1 << 62, 10**30, "x", None, True])
def test_an_event_of_our_own_format_without_a_time_of_our_days_is_rejected(tmp_path: Path, at_ns: object) -> None:
    path = tmp_path / "own.jsonl"
    path.write_bytes(jsonl([{"rpcscope_capture": 1}, {**raw_line(1), "at_ns": at_ns}, {**raw_line(2), "at_ns": 7}]))
    with CaptureReader(path) as reader:
        assert len([one for batch in reader.batches() for one in batch]) == 1
        assert reader.rejected == 1


def test_raw_captures_are_there() -> None:
    assert len(RAW_CAPTURES) == 4
