"""A capture is readable while it is written, after a crash, and when it was written in parts."""

import errno
import json
import os
from pathlib import Path

import pytest
import zstandard

from rpcscope.capture import CaptureReader, CaptureWriter, Header, Scrubber, scrub_file
from rpcscope.errors import CaptureError
from rpcscope.model import Consumer, Observation, Topology
from rpcscope.rules import load_rules
from tests.support.wire import CAPTURES, enveloped, observations, request, seen, sightings

RAW = CAPTURES / "raw" / "nova34" / "01_boot_1.jsonl.zst"


def event(number: int = 1) -> Observation:
    one = seen(enveloped(request(_unique_id=f"{number:032x}")))
    return Observation(
        at_ns=one.at_ns + number,
        exchange=one.exchange,
        routing_key=one.routing_key,
        headers=one.headers,
        body=one.body,
        size=one.size,
        seq=number,
    )


def writer(path: Path, append: bool = False) -> CaptureWriter:
    return CaptureWriter(path, Header(label="live", mode="full"), Scrubber(load_rules()), append=append, now=lambda: 0)


def numbers(path: Path) -> list[int]:
    return [one.seq for one in observations(path)]


def test_the_first_line_is_a_versioned_header(tmp_path: Path) -> None:
    writer(tmp_path / "a").close()
    with zstandard.open(tmp_path / "a", "rt", encoding="utf-8") as file:
        header = json.loads(file.readline())
    assert header["rpcscope_capture"] == 1
    assert (header["label"], header["mode"], header["pseudonymized"]) == ("live", "full", False)


def test_what_was_flushed_can_be_read_while_the_file_is_written(tmp_path: Path) -> None:
    with writer(tmp_path / "a") as live:
        assert numbers(tmp_path / "a") == []
        live.write(event(1))
        live.flush()
        assert numbers(tmp_path / "a") == [1]
        live.write(event(2))
        assert numbers(tmp_path / "a") == [1]
    assert numbers(tmp_path / "a") == [1, 2]


def test_a_frame_is_written_after_its_seconds_and_after_its_lines(tmp_path: Path) -> None:
    clock = [0.0]
    with CaptureWriter(tmp_path / "a", Header(), Scrubber(load_rules()), now=lambda: clock[0]) as live:
        live.write(event(1))
        assert numbers(tmp_path / "a") == []
        clock[0] = 6.0
        live.write(event(2))
        assert numbers(tmp_path / "a") == [1, 2]
        for number in range(3, 2003):
            live.write(event(number))
        assert len(numbers(tmp_path / "a")) == 2002


def test_a_crash_loses_the_cut_frame_alone_and_the_next_run_goes_on_behind_the_whole_ones(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with writer(path) as live:
        live.write(event(1))
        live.flush()
        live.write(event(2))
    path.write_bytes(path.read_bytes()[:-20])
    with CaptureReader(path) as reader:
        assert [one.seq for batch in reader.batches() for one in batch if isinstance(one, Observation)] == [1]
        assert "is cut short" in reader.problem
    with writer(path, append=True) as again:
        again.write(event(3))
    assert numbers(path) == [1, 3]
    with CaptureReader(path) as reader:
        list(reader.batches())
        assert reader.problem == ""


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"precious")
    with pytest.raises(CaptureError, match="a exists: name another file"):
        writer(tmp_path / "a")
    with pytest.raises(CaptureError, match="not a capture"):
        writer(tmp_path / "a", append=True)
    assert (tmp_path / "a").read_bytes() == b"precious"


def test_nothing_is_appended_to_a_raw_capture(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(RAW.read_bytes())
    with pytest.raises(CaptureError, match="another kind"):
        writer(tmp_path / "a", append=True)
    assert (tmp_path / "a").read_bytes() == RAW.read_bytes()


@pytest.mark.parametrize("name", ["no/such/folder/a", "x" * 300, "a\0b"])
def test_a_file_that_can_not_be_made_gets_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(CaptureError, match="can not be written"):
        writer(tmp_path / name)


def test_a_full_disk_leaves_the_whole_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = writer(tmp_path / "a")
    live.write(event(1))
    live.flush()
    live.write(event(2))

    def full(frame: memoryview) -> None:
        os.write(live._file.fileno(), frame[:7])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(live, "_put", full)
    with pytest.raises(CaptureError, match="No space left on device"):
        live.close()
    assert numbers(tmp_path / "a") == [1]


def test_events_that_do_not_decode_are_counted_and_left_out(tmp_path: Path) -> None:
    with writer(tmp_path / "a") as live:
        live.write(seen(b"password=hunter2222"))
        live.write(event(1))
        assert (live.written, live.dropped) == (1, 1)
    assert numbers(tmp_path / "a") == [1]


def test_a_scrubbed_copy_has_the_events_and_the_snapshots_of_its_original(tmp_path: Path) -> None:
    said: list[tuple[int, int]] = []
    done = scrub_file(RAW, tmp_path / "a", Scrubber(load_rules()), progress=lambda at, end: said.append((at, end)))
    assert (done.events, done.dropped, done.rejected, done.problem) == (114, 0, 0, "")
    assert said[-1] == (RAW.stat().st_size, RAW.stat().st_size)
    assert [type(one) for one in sightings(tmp_path / "a")] == [type(one) for one in sightings(RAW)]


def test_scrubbing_what_was_scrubbed_changes_nothing(tmp_path: Path) -> None:
    scrub_file(RAW, tmp_path / "a", Scrubber(load_rules()))
    scrub_file(tmp_path / "a", tmp_path / "b", Scrubber(load_rules()))
    assert sightings(tmp_path / "a") == sightings(tmp_path / "b")
    with CaptureReader(tmp_path / "b") as reader:
        assert (reader.label, reader.source) == ("01_boot_1", "file")


def test_a_cut_original_is_copied_as_far_as_it_goes_and_said(tmp_path: Path) -> None:
    (tmp_path / "cut.jsonl.zst").write_bytes(RAW.read_bytes()[:8000])
    done = scrub_file(tmp_path / "cut.jsonl.zst", tmp_path / "a", Scrubber(load_rules()))
    assert 0 < done.events < 114
    assert "cut short" in done.problem


def test_a_copy_has_each_snapshot_once_and_at_its_time(tmp_path: Path) -> None:
    snapshots = [
        Topology(at_ns=event(number).at_ns, connections=(), consumers=(Consumer(connection="", queue="q"),))
        for number in (1, 3)
    ]
    with writer(tmp_path / "a") as live:
        for one in (snapshots[0], event(2), snapshots[1], event(4)):
            live.write(one)
    scrub_file(tmp_path / "a", tmp_path / "b", Scrubber(load_rules()))
    assert sightings(tmp_path / "a") == sightings(tmp_path / "b")
    with CaptureReader(tmp_path / "b") as reader:
        assert [type(one) for one in reader.once()] == [Topology, Observation, Topology, Observation]
