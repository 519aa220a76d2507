"""Timers: how often they run in an hour is arithmetic."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcscope.emulator.periodic import Fixed, Periodic

HOUR_S = 3600.0


def fixed_starts(interval_s: float, first_s: float, takes_s: float) -> list[float]:
    timer, starts = Fixed(interval_s, first_s), []
    while timer.next_s < HOUR_S:
        starts.append(timer.next_s)
        timer.ran(timer.next_s, timer.next_s + takes_s)
    return starts


def periodic_starts(spacings_s: dict[str, float], takes_s: float = 0.0, seed: int = 1) -> dict[str, list[float]]:
    timers = Periodic(spacings_s, dict.fromkeys(spacings_s, 0.0), random.Random(seed))
    starts: dict[str, list[float]] = {name: [] for name in spacings_s}
    now_s = 0.0
    while True:
        due_s, name = timers.next()
        now_s = max(now_s, due_s)
        if now_s >= HOUR_S:
            return starts
        starts[name].append(now_s)
        timers.runs(name, now_s)
        now_s += takes_s


@given(st.floats(1, 100), st.floats(0, 1), st.floats(0, 1))
def test_a_fixed_timer_runs_as_often_as_its_interval_fits(interval_s: float, phase: float, takes: float) -> None:
    starts = fixed_starts(interval_s, phase * interval_s, takes * interval_s * 0.9)
    assert abs(len(starts) - (HOUR_S - phase * interval_s) / interval_s) <= 1


def test_a_fixed_timer_whose_run_takes_longer_starts_again_at_once() -> None:
    assert fixed_starts(10, 0, 25)[:4] == [0, 25, 50, 75]


@given(st.sampled_from([10.0, 60.0, 120.0, 300.0, 600.0]), st.integers(0, 1000))
def test_a_periodic_task_is_at_most_a_twentieth_later_each_time(spacing_s: float, seed: int) -> None:
    starts = periodic_starts({"task": spacing_s}, seed=seed)["task"]
    assert HOUR_S / (spacing_s * 1.05) - 1 <= len(starts) <= HOUR_S / spacing_s
    gaps = [after - before for before, after in itertools.pairwise(starts)]
    assert all(spacing_s <= gap <= spacing_s * 1.05 for gap in gaps)


def test_spacings_under_20_s_have_no_jitter() -> None:
    assert periodic_starts({"task": 10.0})["task"] == pytest.approx([10.0 * n for n in range(1, 360)])


def test_tasks_of_one_service_run_one_after_the_other() -> None:
    starts = periodic_starts({"a": 60.0, "b": 60.0, "c": 60.0}, takes_s=7.0)
    every = sorted(start for mine in starts.values() for start in mine)
    assert all(after - before >= 7.0 for before, after in itertools.pairwise(every))


def test_a_late_start_does_not_move_those_after_it() -> None:
    timers = Periodic({"task": 10.0}, {"task": 0.0}, random.Random(1))
    timers.runs("task", 14.0)
    assert timers.next() == (20.0, "task")
