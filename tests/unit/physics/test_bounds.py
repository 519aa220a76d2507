"""Bounds of a drain, and CPU steal."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpcscope.physics import at_least_s, at_most_s, in_order_s, slowed, steal


def test_three_servers_by_hand() -> None:
    times = [30.0, 20.0, 10.0]
    assert in_order_s(times, slots=1) == at_least_s(times, slots=1) == at_most_s(times, slots=1) == 60
    assert in_order_s(times, slots=2) == 30
    assert in_order_s([10.0, 20.0, 30.0], slots=2) == 40
    assert (at_least_s(times, slots=2), at_most_s(times, slots=2)) == (30, 45)


def test_the_network_card_bounds_it_too() -> None:
    assert at_least_s([30.0], slots=4, data=1e12, capacity=1e9) == 1000


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e6), max_size=40), st.integers(1, 12))
def test_every_order_is_between_the_bounds(times: list[float], slots: int) -> None:
    took = in_order_s(times, slots=slots)
    assert at_least_s(times, slots=slots) <= took * (1 + 1e-9)
    assert took <= at_most_s(times, slots=slots) * (1 + 1e-9)


def test_no_slots_and_no_end_have_no_bounds() -> None:
    for times, slots in (([1.0], 0), ([inf], 1), ([-1.0], 1), ([float("nan")], 1)):
        for bound in (at_least_s, at_most_s, in_order_s):
            with pytest.raises(ValueError, match="bounds want"):
                bound(times, slots=slots)


def test_steal_is_what_cores_can_not_give() -> None:
    assert steal(cores=32, runnable=16) == 0
    assert steal(cores=32, runnable=0) == 0
    assert steal(cores=32, runnable=40) == pytest.approx(0.2)
    assert slowed(1000, 0.2) == 800
    assert slowed(1000, 1.5) == 0
