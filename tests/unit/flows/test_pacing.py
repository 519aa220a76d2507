"""Paces by tables, and how well a pacer keeps them."""

from __future__ import annotations

import asyncio
import math
import random
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcscope.errors import UsageError
from rpcscope.flows.pacer import Paced, Pacer
from rpcscope.flows.pacing import Constant, Pace, Poisson, Ramp, Recorded, Sine, due_times, parse_pace
from rpcscope.flows.virtual import run_virtual
from tests.unit.flows.support import PlainWorld

PACES: dict[str, tuple[Pace, dict[int, float]]] = {
    "constant": (Constant(4), {0: 0, 1: 0.25, 400: 100}),
    # 1/s to 3/s over 10 s are 20 in all; half of the area at t = (-1 + sqrt(1 + 0.4 * 10)) / 0.2
    "ramp up": (Ramp(1, 3, 10), {0: 0, 20: 10, 10: (-1 + math.sqrt(5)) / 0.2, 23: 11}),
    "ramp down": (Ramp(3, 1, 10), {0: 0, 20: 10, 25: 15}),
    "ramp from nothing": (Ramp(0, 2, 10), {0: 0, 10: 10, 12: 11}),
    "level ramp": (Ramp(2, 2, 10), {0: 0, 10: 5, 30: 15}),
    # a whole period holds mean * period; half of one 2 A P / (2 pi) more than half of that
    "sine": (Sine(10, 5, 60), {0: 0, 600: 60, 6000: 600}),
    "recorded": (Recorded((0.5, 1.0, 9.0), speed=2), {0: 0.25, 1: 0.5, 2: 4.5, 3: math.inf}),
}


@pytest.mark.parametrize("name", PACES)
def test_each_is_due_when_the_table_says(name: str) -> None:
    pace, table = PACES[name]
    assert not isinstance(pace, Poisson)
    assert {n: pace.due_s(n) for n in table} == pytest.approx(table, abs=1e-6)


def test_a_sine_sends_the_most_in_the_first_half_of_its_period() -> None:
    early = sum(due < 30 for due in islice(due_times(Sine(10, 5, 60), random.Random(1)), 600))
    assert early == pytest.approx(300 + 2 * 5 * 60 / (2 * math.pi), abs=1.5)


@given(
    pace=st.one_of(
        st.builds(Constant, st.floats(0.01, 1e4)),
        st.builds(Ramp, st.floats(0, 100), st.floats(0.1, 100), st.floats(0.1, 1e3)),
        st.floats(0.1, 100).flatmap(lambda mean: st.builds(Sine, st.just(mean), st.floats(0, mean), st.floats(1, 1e4))),
        st.builds(Poisson, st.floats(0.01, 1e3)),
    )
)
def test_due_times_never_go_back(pace: Pace) -> None:
    dues = list(islice(due_times(pace, random.Random(7)), 200))
    assert len(dues) == 200
    assert dues[0] >= 0
    assert all(later >= earlier - 1e-6 for earlier, later in pairwise(dues))


def test_by_chance_is_the_same_for_the_same_seed_and_has_the_rate_on_average() -> None:
    first, again = (list(islice(due_times(Poisson(5), random.Random(3)), 10_000)) for _ in range(2))
    assert first == again
    assert 10_000 / first[-1] == pytest.approx(5, rel=0.05)


@pytest.mark.parametrize(
    ("text", "pace"),
    [
        ("5", Constant(5)),
        ("constant:0.5", Constant(0.5)),
        ("poisson:3", Poisson(3)),
        ("ramp:1:20:60", Ramp(1, 20, 60)),
        ("sine:10:5:3600", Sine(10, 5, 3600)),
    ],
)
def test_a_pace_is_read_as_people_write_it(text: str, pace: Pace) -> None:
    assert parse_pace(text) == pace


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "nan", "inf", "fast", "ramp:1", "ramp:1:2:0", "sine:1:2:60", "recorded:1", "5:5", "1e300"]
)
def test_what_is_no_pace_is_refused_with_one_sentence(text: str) -> None:
    with pytest.raises(UsageError, match=r"^[^.]+( \d?\.\d)?.*\.$"):
        parse_pace(text)


def test_one_that_is_slow_makes_the_others_late_but_not_fewer() -> None:
    async def send() -> tuple[list[float], Paced]:
        world, at = PlainWorld(), []
        pacer = Pacer(world, due_times(Constant(1), random.Random(1)), 6)
        async for n in pacer:
            at.append(world.now_s())
            await asyncio.sleep(3.5 if n == 1 else 0)
        return at, pacer.paced()

    at, paced = run_virtual(send())
    assert at == [0, 1, 4.5, 4.5, 4.5, 5]
    assert (paced.asked, paced.sent, paced.asked_per_s, paced.reached_per_s) == (6, 6, 1, 1)
    assert (paced.late_max_s, paced.shortfall) == (2.5, 0)


def test_a_rate_that_is_not_reached_is_told() -> None:
    async def send() -> Paced:
        world = PlainWorld()
        pacer = Pacer(world, due_times(Constant(10), random.Random(1)), 101)
        async for _ in pacer:
            await asyncio.sleep(0.2)
        return pacer.paced()

    paced = run_virtual(send())
    assert paced.reached_per_s == pytest.approx(5)
    assert paced.shortfall == pytest.approx(0.5)
    assert paced.late_max_s == pytest.approx(10)


def test_nothing_sent_has_no_rate() -> None:
    pacer = Pacer(PlainWorld(), [], 5)
    assert (pacer.paced().reached_per_s, pacer.paced().late_max_s, pacer.paced().shortfall) == (None, None, None)
