"""How fast a counter goes up, and what the process itself takes."""

from __future__ import annotations

import pytest

from rpcscope.vitals import Rate, cpu_s, rss_bytes


def test_a_rate_is_that_of_the_last_minute_alone() -> None:
    times = iter([0.0, 5.0, 60.0, 120.0, 130.0])
    rate = Rate(clock=lambda: next(times))
    told = [rate.take(count) for count in (100, 600, 6_100, 6_100, 6_200)]
    assert told == pytest.approx([0.0, 100.0, 100.0, 0.0, 100 / 70])


def test_readings_at_one_moment_tell_no_rate() -> None:
    rate = Rate(clock=lambda: 7.0)
    assert [rate.take(1), rate.take(2)] == [0.0, 0.0]


def test_memory_and_cpu_are_those_of_this_process() -> None:
    before, memory = cpu_s(), rss_bytes()
    assert memory is not None
    assert memory > 10_000_000
    sum(range(3_000_000))
    assert cpu_s() > before
