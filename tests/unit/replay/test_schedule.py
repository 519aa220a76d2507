"""A schedule is the recording itself, turned copies of it, or arrivals drawn from it."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcscope.replay.schedule import Due, drawn, repeated

TIMES = [0.0, 1.0, 1.5, 9.0]
LASTS_S = 10.0


def test_at_rate_one_every_operation_is_played_once_at_its_own_time() -> None:
    assert repeated(TIMES, LASTS_S, 1.0, Random(1)) == [Due(at, n, 0) for n, at in enumerate(TIMES)]


@given(st.integers(1, 6), st.integers())
def test_every_copy_has_every_operation_once_and_the_first_is_the_recording(rate: int, seed: int) -> None:
    found = repeated(TIMES, LASTS_S, float(rate), Random(seed))
    assert Counter((one.operation, one.copy) for one in found) == Counter((n, c) for n in range(4) for c in range(rate))
    assert [one.at_s for one in found if one.copy == 0] == TIMES
    assert found == sorted(found)
    assert all(0 <= one.at_s < LASTS_S for one in found)


def test_a_copy_is_the_recording_turned_so_that_what_came_together_stays_together() -> None:
    found = repeated(TIMES, LASTS_S, 8.0, Random(4))
    for copy in range(8):
        at = {one.operation: one.at_s for one in found if one.copy == copy}
        assert [(at[n] - at[0]) % LASTS_S for n in range(4)] == pytest.approx(TIMES)
    assert len({round(one.at_s, 6) for one in found if one.operation == 0}) == 8


def test_of_a_part_of_a_copy_each_operation_is_played_by_chance() -> None:
    at = [n / 100 for n in range(1_000)]
    assert 200 < len(repeated(at, LASTS_S, 0.25, Random(1))) < 300
    found = Counter(one.copy for one in repeated(at, LASTS_S, 1.25, Random(1)))
    assert found[0] == 1_000
    assert 200 < found[1] < 300


def test_the_same_seed_gives_the_same_schedule() -> None:
    assert repeated(TIMES, LASTS_S, 3.5, Random(7)) == repeated(TIMES, LASTS_S, 3.5, Random(7))
    assert drawn(4, LASTS_S, 100.0, 2.0, Random(7)) == drawn(4, LASTS_S, 100.0, 2.0, Random(7))


def test_drawn_arrivals_come_at_the_recorded_rate_times_what_was_asked_for_independent_of_each_other() -> None:
    found = drawn(4, LASTS_S, 5_000.0, 3.0, Random(2))  # 0.4 a second recorded
    assert len(found) == pytest.approx(6_000, rel=0.05)
    gaps = [after.at_s - before.at_s for before, after in pairwise(found)]
    # Of an exponential distribution the standard deviation is the mean.
    assert (mean(gap**2 for gap in gaps) - mean(gaps) ** 2) ** 0.5 == pytest.approx(mean(gaps), rel=0.1)
    often = Counter(one.operation for one in found)
    assert set(often) == {0, 1, 2, 3}
    assert min(often.values()) > 1_300
    assert [one.copy for one in found] == list(range(len(found)))


def test_nothing_recorded_gives_nothing_to_draw() -> None:
    assert drawn(0, LASTS_S, 60.0, 1.0, Random(1)) == []
