"""A world may run fast; a broker and its callers do not."""

from __future__ import annotations

from random import Random

import pytest

from rpcscope.fleet.model import Control
from rpcscope.flows.virtual import run_virtual
from rpcscope.flows.virtual_world import VirtualWorld
from rpcscope.flows.world import Asked
from rpcscope.replay.world_time import as_played, scaled
from rpcscope.templates.files import shipped
from rpcscope.templates.model import Lognormal, Times, walk
from rpcscope.templates.sample import draw
from tests.support.emulated import always, call, template


def test_service_times_delays_and_patience_take_longer_by_the_clock_of_a_fast_world() -> None:
    inner = call("inner", delay=always(0.2), work=always(1.0))
    made = template("x", call("outer", sender="api", work=always(0.5), timeout_s=600.0, steps=(inner,)))
    outer, found = walk(as_played(made, Control(rpc_timeout_s=30.0), 10.0).variants[0].roots)
    assert (outer.work.quantiles_s, outer.timeout_s) == ((5.0,), 6_000.0)
    assert (found.delay.quantiles_s, found.work.quantiles_s, found.timeout_s) == ((2.0,), (10.0,), 300.0)


def test_factors_of_the_fleet_file_are_put_in_as_the_emulator_does() -> None:
    inner = call("inner", delay=always(0.2), work=always(1.0))
    made = template("x", call("outer", sender="api", delay=always(0.1), work=always(0.5), steps=(inner,)))
    control = Control(service_times={"outer": 3.0, "*": 0.5})
    outer, found = walk(as_played(made, control, 1.0).variants[0].roots)
    assert outer.delay.quantiles_s == (0.1,)  # the API's own
    assert outer.work.quantiles_s == pytest.approx((1.5,))
    assert found.delay.quantiles_s == pytest.approx((0.6,))  # the work of who handles `outer`
    assert found.work.quantiles_s == (0.5,)


def test_what_is_drawn_from_a_fit_is_longer_too() -> None:
    fit = Times(fit=Lognormal(mu=0.0, sigma=0.0, ks=0.0))
    assert draw(scaled(fit, 7.0), Random(1)) == pytest.approx(7.0)


def test_an_operation_takes_as_long_on_the_wall_at_any_speed() -> None:
    async def took(speed: float) -> float:
        world = VirtualWorld([as_played(shipped("delete"), Control(), speed)], ["h"], 1)
        answer = await world.operate(Asked(kind="delete", instances=["s"], source="h"))
        return (answer.ended_s - answer.started_s) / speed

    assert run_virtual(took(1.0)) == pytest.approx(run_virtual(took(25.0)))
