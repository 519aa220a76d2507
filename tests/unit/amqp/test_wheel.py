"""One timer tells each thing when it is due, at half seconds."""

from __future__ import annotations

import asyncio
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from rpcscope.amqp.wheel import TICK_S, Wheel
from tests.unit.amqp.clock import run_skipping


class Thing:
    """Due every so often; it writes down when it was."""

    def __init__(self, every_s: float, times: int = 3) -> None:
        self.slot = -1
        self.every_s, self.left = every_s, times
        self.told: list[float] = []

    def due(self) -> float:
        self.told.append(asyncio.get_running_loop().time())
        self.left -= 1
        return self.every_s if self.left else 0.0


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 120).map(lambda halves: halves / 2), min_size=1, max_size=5))
def test_each_is_due_in_its_own_time(every_s: list[float]) -> None:
    async def test() -> None:
        things = [Thing(each) for each in every_s]
        wheel = Wheel(asyncio.get_running_loop())
        for thing in things:
            wheel.put(thing, thing.every_s)
        await asyncio.sleep(4 * max(every_s))
        for thing in things:
            assert [round(at / thing.every_s, 3) for at in thing.told] == [1, 2, 3]

    run_skipping(test(), moment_s=0)


def test_what_was_taken_out_is_never_due() -> None:
    async def test() -> None:
        stays, goes = Thing(2), Thing(2)
        wheel = Wheel(asyncio.get_running_loop())
        wheel.put(stays, 2)
        wheel.put(goes, 2)
        wheel.take(goes)
        wheel.take(goes)
        await asyncio.sleep(10)
        assert (len(stays.told), goes.told) == (3, [])

    run_skipping(test(), moment_s=0)


def test_one_that_is_put_again_is_due_at_the_new_time_alone() -> None:
    async def test() -> None:
        thing = Thing(5, times=1)
        wheel = Wheel(asyncio.get_running_loop())
        wheel.put(thing, 5)
        await asyncio.sleep(1)
        wheel.put(thing, 10)
        await asyncio.sleep(30)
        assert thing.told == [11.0]

    run_skipping(test(), moment_s=0)


def test_a_process_that_was_held_up_finds_each_thing_due_once() -> None:
    async def test() -> None:
        things = [Thing(TICK_S, times=9), Thing(2 * TICK_S, times=9)]
        wheel = Wheel(asyncio.get_running_loop())
        for thing in things:
            wheel.put(thing, thing.every_s)
        time.sleep(3 * TICK_S)
        while not all(thing.told for thing in things):
            await asyncio.sleep(0)
        assert [len(thing.told) for thing in things] == [1, 1]
        for thing in things:
            wheel.take(thing)

    asyncio.run(test())
