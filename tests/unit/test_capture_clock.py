"""Times of a raw capture come from its monotonic clock, anchored once; wall clock jumps do no harm."""

from pathlib import Path
from typing import Any

import pytest

from rpcscope.capture import CaptureReader
from rpcscope.capture.clock import StepCounter, TimeLine, reading
from rpcscope.model import Observation
from tests.support.wire import jsonl, observations, raw_line

MS = 1_000_000
HOUR = 3600 * 1000 * MS


def times(tmp_path: Path, rows: list[dict[str, Any]]) -> tuple[list[int], int]:
    """Milliseconds behind the first event, and the steps counted."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(jsonl(rows))
    with CaptureReader(path) as reader:
        found = [one for batch in reader.batches() for one in batch if isinstance(one, Observation)]
        return [(one.at_ns - found[0].at_ns) // MS for one in found], reader.clock_steps


def stepped(rows: list[dict[str, Any]], first: int, by: int) -> list[dict[str, Any]]:
    return [{**row, "recv_wall_ns": row["recv_wall_ns"] + by} if row["seq"] >= first else row for row in rows]


def test_the_first_event_has_the_time_of_its_wall_clock(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(jsonl([raw_line(1), raw_line(2)]))
    assert observations(path)[0].at_ns == raw_line(1)["recv_wall_ns"]


@pytest.mark.parametrize("by", [-24 * HOUR, -HOUR, -3 * MS * 1000, 3 * MS * 1000, HOUR, 24 * HOUR])
def test_a_jump_of_the_wall_clock_changes_no_time_and_is_counted(tmp_path: Path, by: int) -> None:
    rows = stepped([raw_line(n) for n in range(1, 11)], 5, by)
    assert times(tmp_path, rows) == (list(range(10)), 1)


def test_a_capture_whose_clock_ran_well_has_no_steps(tmp_path: Path) -> None:
    assert times(tmp_path, [raw_line(n) for n in range(1, 11)]) == (list(range(10)), 0)


def test_shuffled_lines_get_the_anchor_of_the_lowest_seq(tmp_path: Path) -> None:
    rows = stepped([raw_line(n) for n in range(1, 11)], 5, -HOUR)
    assert times(tmp_path, rows[::-1]) == (list(range(10)), 1)


def test_a_machine_that_started_again_goes_on_by_its_wall_clock(tmp_path: Path) -> None:
    rows = [raw_line(n, recv_mono_ns=50 * HOUR + n * MS) for n in range(1, 6)]
    rows += [raw_line(n, recv_mono_ns=n * MS) for n in range(6, 11)]
    assert times(tmp_path, rows)[0] == list(range(10))


@pytest.mark.parametrize("value", ["x", None, True, -1, 1.5, 1 << 62, 1 << 80, [], 0])
def test_one_absurd_monotonic_reading_is_replaced_by_the_wall_clock(tmp_path: Path, value: object) -> None:
    rows = [raw_line(n) for n in range(1, 11)]
    rows[4]["recv_mono_ns"] = value
    assert times(tmp_path, rows)[0] == list(range(10))


@pytest.mark.parametrize("value", ["x", None, False, -1, 1 << 80, {}, 0])
def test_absurd_wall_clock_readings_are_left_out(tmp_path: Path, value: object) -> None:
    rows = [raw_line(n) for n in range(1, 11)]
    for row in rows[1:]:
        row["recv_wall_ns"] = value
    assert times(tmp_path, rows) == (list(range(10)), 0)


def test_without_both_clocks_an_event_has_the_time_of_the_one_before(tmp_path: Path) -> None:
    rows = [raw_line(n) for n in range(1, 4)]
    del rows[1]["recv_wall_ns"], rows[1]["recv_mono_ns"]
    assert times(tmp_path, rows)[0] == [0, 0, 2]


def test_without_any_clock_at_all_the_order_is_that_of_seq(tmp_path: Path) -> None:
    rows = [raw_line(n, recv_wall_ns=None, recv_mono_ns=None) for n in (3, 1, 2)]
    path = tmp_path / "a.jsonl"
    path.write_bytes(jsonl(rows))
    assert [one.seq for one in observations(path)] == [1, 2, 3]


def test_a_slow_drift_of_the_wall_clock_is_no_step() -> None:
    line, steps = TimeLine(reading(10**18, 10**9)), StepCounter()
    for n in range(1000):
        seen = reading(10**18 + n * 1_001 * MS, 10**9 + n * 1_000 * MS)
        steps.see(line.at(seen), seen)
    assert steps.steps == 0
