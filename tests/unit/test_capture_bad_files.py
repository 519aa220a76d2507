"""A file that is no capture, or not a whole one, gets one sentence, and its good lines are read."""

import gzip
import json
import os
import random
import resource
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rpcscope.capture import CaptureReader
from rpcscope.capture.lines import Lines
from rpcscope.capture.opened import JsonLines
from rpcscope.errors import CaptureError
from rpcscope.model import Observation
from tests.support.wire import VALUES, enveloped, jsonl, raw_line, request

GOOD = jsonl([raw_line(n) for n in range(1, 101)])


def read(path: Path) -> tuple[int, int, str]:
    """Events, rejected lines, problem."""
    with CaptureReader(path) as reader:
        events = sum(isinstance(one, Observation) for batch in reader.batches() for one in batch)
        return events, reader.rejected, reader.problem


def sentence(path: Path) -> str:
    with pytest.raises(CaptureError) as caught:
        read(path)
    return str(caught.value)


def test_a_missing_file_a_folder_and_a_device_get_a_sentence(tmp_path: Path) -> None:
    assert sentence(tmp_path / "a.jsonl") == "a.jsonl does not exist: check the path of the capture"
    assert sentence(tmp_path).endswith("is a folder: name one capture file in it")
    assert sentence(Path("/dev/null")) == "null is not a regular file: write the capture to a file first"
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in sentence(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["a\0b", "x" * 300])
def test_a_name_that_no_file_can_have_gets_a_sentence(tmp_path: Path, name: str) -> None:
    assert "can not be opened" in sentence(tmp_path / name)


def test_a_file_that_may_not_be_read_gets_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jsonl").write_bytes(GOOD)
    (tmp_path / "a.jsonl").chmod(0)
    if os.geteuid() == 0:  # root may read anything, so the refusal has to be made

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
    assert sentence(tmp_path / "a.jsonl") == "a.jsonl may not be read: ask for the right to read it"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n \n", "is empty"),
        (random.Random(1).randbytes(100_000), "is not a capture"),
        (b"hello\nworld\n", "is not a capture"),
        (b"[1]\n[2]\n", "is not a capture"),
        (b'{"a": 1}\n', "is not a capture"),
        (
            b'{"headers": {"routing_keys": ["conductor.SECRET"]}}\n{"body": 17}\n{"recv_mono_ns": "x"}\n',
            "none of its 3 lines",
        ),
        (b"\x28\xb5\x2f\xfd" + bytes(50), "nothing can be read"),
        (zstandard.compress(GOOD)[:20], "nothing can be read"),
        (b"\x1f\x8b" + bytes(50), "nothing can be read"),
        (zstandard.compress(b""), "is empty"),
        (b'{"rpcscope_capture": 2}\n', "newer rpcscope"),
        (b'{"rpcscope_capture": "1"}\n', "newer rpcscope"),
    ],
)
def test_what_is_no_capture_is_said_in_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    text = sentence(path)
    assert words in text
    assert "SECRET" not in text
    assert text.isprintable()


def test_a_cut_file_gives_what_came_before_and_says_so(tmp_path: Path) -> None:
    for name, content in (
        ("a.jsonl.zst", zstandard.compress(GOOD[:-9]) + zstandard.compress(GOOD)[:-9]),
        ("b.jsonl.gz", gzip.compress(GOOD)[:-9]),
        ("c.jsonl", GOOD[:-9]),
    ):
        (tmp_path / name).write_bytes(content)
        events, rejected, problem = read(tmp_path / name)
        assert 50 <= events <= 200
        assert rejected <= 1
        assert problem.startswith(f"{name} is cut short: ")


def test_a_damaged_file_gives_what_came_before_and_says_so(tmp_path: Path) -> None:
    frames = zstandard.compress(GOOD), zstandard.ZstdCompressor(write_checksum=True).compress(GOOD)
    damaged = bytearray(frames[1])
    damaged[-2] ^= 255
    (tmp_path / "a.jsonl.zst").write_bytes(frames[0] + bytes(damaged))
    events, _, problem = read(tmp_path / "a.jsonl.zst")
    assert events >= 100
    assert "is damaged near byte" in problem


BAD_LINES = [
    b'{"headers": {"routing_keys": ["conductor.SECRET"]}}',
    b'{"body": 17}',
    b'{"recv_mono_ns": "x"}',
    b"[1]",
    b"null",
    b'{"body": NaN}',
    b'{"body": "\\ud800"}',
    b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"a": 1' + b"0" * 5000 + b"}",
    b"\xff\xfe\x00",
    json.dumps(raw_line(1, headers=None)).encode(),
    json.dumps(raw_line(1, headers=[])).encode(),
    json.dumps(raw_line(1, exchange=5)).encode(),
    json.dumps(raw_line(1, routing_key=None)).encode(),
    json.dumps(raw_line(1, body=None, body_b64="!")).encode(),
    json.dumps(raw_line(1, body=None, body_b64=5)).encode(),
]


@pytest.mark.parametrize("line", BAD_LINES, ids=range(len(BAD_LINES)))
def test_a_line_that_is_no_record_is_counted_and_the_others_are_read(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD + line + b"\n\r\n" + GOOD)
    assert read(path) == (200, 1, "")


def test_hostile_clocks_and_numbers_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        jsonl([raw_line(1, recv_mono_ns="x", recv_wall_ns=[], seq={}, redelivered="yes", body_len={})]) + GOOD
    )
    assert read(path) == (101, 0, "")


def test_a_line_over_the_limit_is_skipped_and_counted() -> None:
    lines = Lines([b"ab\n", b"c" * 40, b"c" * 40, b"d\nefg\n", b"h" * 51 + b"\ni"], max_line=50)
    assert list(lines) == [b"ab", b"efg", b"i"]
    assert (lines.too_long, lines.ended, lines.gave_up) == (2, False, False)


def test_a_line_without_an_end_is_given_up() -> None:
    lines = Lines((b"x" * 10 for _ in range(1000)), max_line=50, max_skipped=100)
    assert list(lines) == []
    assert lines.gave_up


def test_a_decompression_bomb_is_given_up_in_bounded_memory(tmp_path: Path) -> None:
    bomb = zstandard.ZstdCompressor().compressobj()
    packed = [zstandard.compress(GOOD)] + [bomb.compress(bytes(1 << 20)) for _ in range(2100)] + [bomb.flush()]
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(b"".join(packed))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    events, rejected, problem = read(path)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert (events, rejected) == (100, 1)
    assert "a line without an end" in problem
    assert grown < 900_000  # kB; unpacked it has 2.1 GB


def test_a_window_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    wide = zstandard.ZstdCompressor(compression_params=zstandard.ZstdCompressionParameters(window_log=28)).compressobj()
    (tmp_path / "a.jsonl.zst").write_bytes(wide.compress(GOOD) + wide.flush())
    assert "--long" in sentence(tmp_path / "a.jsonl.zst")


def test_a_body_of_64_megabytes_passes(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    large = enveloped(request(args={"x": "y" * (64 << 20)})).decode()
    path.write_bytes(jsonl([raw_line(1, body=large)]) + GOOD)
    assert read(path) == (101, 0, "")


def test_closing_twice_and_reading_in_part_leaves_nothing_open(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(GOOD)
    reader = CaptureReader(tmp_path / "a.jsonl")
    assert len(next(iter(reader.batches(5)))) == 5
    reader.ack()
    reader.close()
    reader.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_bytes_a_file_holds_only_a_capture_error_comes_out(tmp_path: Path, data: st.DataObject) -> None:
    content = data.draw(st.binary(max_size=200) | st.lists(VALUES, max_size=3).map(lambda v: json.dumps(v).encode()))
    start = data.draw(
        st.sampled_from([b"", GOOD, zstandard.compress(GOOD), gzip.compress(GOOD), b'{"rpcscope_capture": 1}\n'])
    )
    cut = data.draw(st.integers(0, len(start)))
    path = tmp_path / "a.jsonl"
    path.write_bytes(start[: cut if data.draw(st.booleans()) else None] + content)
    try:
        read(path)
    except CaptureError as error:
        assert str(error).isprintable()  # noqa: PT017


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(sorted(raw_line(1))), VALUES), st.booleans())
def test_any_value_in_any_field_of_a_line_is_read_or_rejected(
    tmp_path: Path, fields: dict[str, object], own: bool
) -> None:
    path = tmp_path / "a.jsonl"
    header: list[dict[str, object]] = [{"rpcscope_capture": 1}] if own else []
    rows = [{**raw_line(1), "at_ns": 1, **fields}, {"topology": fields}, {"gap": fields}]
    path.write_bytes(jsonl([*header, *rows]) + (jsonl([{**raw_line(2), "at_ns": 2}])))
    events, rejected, problem = read(path)
    assert problem == ""
    assert events >= 1
    assert events + rejected <= 4


def test_lines_are_counted_once_by_the_lower_layer(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"a": 1}\nx\n{"b": 2}\n')
    with JsonLines(tmp_path / "a.jsonl") as lines:
        assert list(lines) == [{"a": 1}, {"b": 2}]
        assert (lines.rejected, lines.problem) == (1, "")
