"""What a tap would cost follows from what was measured, and from nothing else."""

from __future__ import annotations

import pytest

from rpcscope.flight.forecast import DAY_S, ROW_BYTES, Forecast, Traffic, forecast

EACH_ONCE = Traffic(publishes=1000, replies=400, deliveries=1000, control_deliveries=500)


def by_mode(traffic: Traffic) -> dict[str, Forecast]:
    return {one.mode: one for one in forecast(traffic)}


def test_a_thousand_messages_cost_what_was_measured_of_one() -> None:
    found = by_mode(EACH_ONCE)
    assert found["publish"].core_share == pytest.approx(0.054)
    assert 0.136 <= found["full"].core_share <= 0.154
    assert found["bindings"].core_share == pytest.approx(600 * 27e-6)
    assert found["publish"].core_share < found["control"].core_share < found["full"].core_share


def test_each_tapped_event_goes_into_the_queue() -> None:
    assert {mode: one.events for mode, one in by_mode(EACH_ONCE).items()} == {
        "bindings": 600, "publish": 1000, "control": 1500, "full": 2000,
    }  # fmt: skip


def test_a_reply_is_no_row_of_its_own() -> None:
    for one in forecast(EACH_ONCE):
        assert (one.rows, one.growth_bytes) == (600 * DAY_S, 600 * DAY_S * ROW_BYTES)


def test_a_silent_broker_costs_nothing() -> None:
    silent = Traffic(publishes=0, replies=0, deliveries=0, control_deliveries=0)
    assert {(one.core_share, one.events, one.rows) for one in forecast(silent)} == {(0, 0, 0)}


def test_counters_that_disagree_give_no_negative_rows() -> None:
    odd = Traffic(publishes=1, replies=5, deliveries=5, control_deliveries=0)
    assert all(one.rows == 0 for one in forecast(odd))
