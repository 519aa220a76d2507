"""Files of spans are imported as recordings: what the OpenTelemetry Collector writes, and a span a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from rpcscope.cli.importing import import_capture
from rpcscope.cli.span_file import SpanFile, opened_file
from rpcscope.errors import CaptureError
from rpcscope.model import Inside
from rpcscope.rules import load_rules
from rpcscope.store import open_store
from tests.support.spans import MS, START_NS, consumer, producer, request_json


def written(path: Path, *lines: object) -> Path:
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def told(path: Path) -> list[Inside]:
    with SpanFile(path) as file:
        return [one for batch in file.batches(max_events=3) for one in batch if isinstance(one, Inside)]


def facts(one: Inside) -> tuple[Any, ...]:
    return one.side, one.sent_ns, one.started_ns, one.replied_ns, one.taken_ns, one.span_id


def test_both_kinds_of_files_tell_the_same(tmp_path: Path) -> None:
    rows = written(tmp_path / "rows.jsonl", consumer(), producer())
    requests = written(tmp_path / "requests.jsonl", request_json(consumer()), request_json(producer()))
    assert [*map(facts, told(rows))] == [*map(facts, told(requests))]
    assert len(told(rows)) == 4


def test_a_packed_file_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "spans.json.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(json.dumps(request_json(producer())).encode()))
    assert len(told(path)) == 2


def test_a_file_is_told_from_a_capture_by_its_first_line(tmp_path: Path) -> None:
    path = written(tmp_path / "spans.jsonl", producer())
    with opened_file(path) as file:
        assert (type(file), file.mode, file.label) == (SpanFile, "inside", "spans")
    with pytest.raises(CaptureError, match="is not a capture"), opened_file(written(tmp_path / "x.jsonl", {"a": 1})):
        raise AssertionError


def test_what_is_no_rpc_is_counted_as_rejected(tmp_path: Path) -> None:
    path = written(tmp_path / "spans.jsonl", producer(), {"no": "span"}, producer(kind="INTERNAL"))
    with SpanFile(path) as file:
        assert sum(map(len, file.batches())) == 2
        assert file.rejected == 2


def test_a_file_is_stored_once_and_a_call_of_it_has_both_its_sides(tmp_path: Path) -> None:
    path = written(tmp_path / "spans.jsonl", producer(), consumer())
    with open_store(f"sqlite:///{tmp_path / 'x.db'}", create=True) as store:
        for known in (False, True):
            with SpanFile(path) as file:
                done = import_capture(store, file, load_rules())
            assert (done.known, done.counters.messages, done.counters.rejected) == (known, 2, 0)
        assert store.reader().recording_totals(done.recording.id).rpcs == 1


def test_lines_come_out_in_the_order_of_time(tmp_path: Path) -> None:
    rows = [producer(span_id=f"{n:016x}", start=START_NS + (50 - n) * MS, end=START_NS + 99 * MS) for n in range(1, 50)]
    sent = [one.sent_ns for one in told(written(tmp_path / "spans.jsonl", *rows)) if one.sent_ns]
    assert sent == sorted(sent)
