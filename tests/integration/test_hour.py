"""A recorder at a steady rate into PostgreSQL, kept from keeping up now and then: for seconds, and for an hour."""

from __future__ import annotations

import pytest

from benchmarks.soak import GROWTH_MB, faults, soak
from benchmarks.soaking.memory import Reading, growth_mb
from benchmarks.soaking.run import Plan, Result

pytestmark = pytest.mark.server
FILLING_MB = 80.0
"""In the first seconds caches fill: a short run proves no more than that memory is not eaten up."""


def expect_well(result: Result, growth: float) -> None:
    """Every message of every leg is stored, and every planted loss is told; an estimate is no nonsense."""
    assert list(faults(result, growth=growth)) == []
    for stall in result.stalls:
        assert stall.estimate is None or 0 < stall.estimate < stall.count.sent


@pytest.mark.parametrize(
    ("mode", "planted"),
    [
        ("control", "store held"),
        pytest.param("control", "stopped", marks=pytest.mark.long),  # test_losses.py has a short one
        pytest.param("full", "store held", marks=pytest.mark.long),
        pytest.param("full", "stopped", marks=pytest.mark.long),
    ],
)
def test_what_a_recorder_could_not_take_is_told_and_all_else_is_stored(mode: str, planted: str) -> None:
    plan = Plan(seconds=4, rate=1000, mode=mode, queue_limit=1000, planted=(planted,))
    expect_well(soak(plan), FILLING_MB)


@pytest.mark.long
def test_an_hour_at_a_thousand_messages_a_second_loses_nothing_untold_and_memory_stays_flat() -> None:
    plan = Plan(
        seconds=3600, rate=1000, mode="control", queue_limit=5000, planted=("store held", "stopped", "store held")
    )
    result = soak(plan)
    expect_well(result, GROWTH_MB)
    # The broker's counters are some seconds old. Over a minute of steady traffic before, that hardly matters.
    assert all(abs((stall.estimate or 0) / stall.lost - 1) < 1 / 3 for stall in result.stalls)


def test_memory_that_grows_would_be_seen() -> None:
    flat = [Reading(at_s=n, mb=100 + (n % 7)) for n in range(1000)]
    leak = [Reading(at_s=n, mb=100 + (n % 7) + n / 10) for n in range(1000)]
    filling = [Reading(at_s=n, mb=min(n, 200)) for n in range(1000)]
    assert abs(growth_mb(flat)) < 1
    assert 74 < growth_mb(leak) < 76
    assert growth_mb(filling) < 1
