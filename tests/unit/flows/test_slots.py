"""Slots: several limits at once, none ever exceeded, none lost."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from rpcscope.flows.slots import Slots
from rpcscope.flows.virtual import run_virtual


@pytest.mark.parametrize("seed", range(5))
def test_no_limit_is_exceeded_and_every_slot_comes_back(seed: int) -> None:
    slots, rng, now = Slots({"all": 7, "host": 2, "zone": 4}), random.Random(seed), Counter[str]()

    async def work(n: int) -> None:
        host, zone = f"h{n % 6}", f"z{n % 2}"
        await asyncio.sleep(rng.random() * 10)
        async with slots.hold(all="", host=host, zone=zone):
            now.update([host, zone, "all"])
            assert (now[host] <= 2, now[zone] <= 4, now["all"] <= 7) == (True, True, True)
            await asyncio.sleep(rng.random())
            now.subtract([host, zone, "all"])

    async def main() -> None:
        tasks = [asyncio.create_task(work(n)) for n in range(200)]
        await asyncio.sleep(5)
        for task in rng.sample(tasks, 40):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run_virtual(main())
    assert slots.peaks == {"all": 7, "host": 2, "zone": 4}
    assert (slots.taken("all"), slots.taken("host", "h1"), slots.taken("zone", "z0")) == (0, 0, 0)


def test_who_fits_goes_ahead_of_one_whose_host_is_busy() -> None:
    async def main() -> list[tuple[str, float]]:
        slots, order = Slots({"all": 2, "host": 1}), []

        async def work(name: str, host: str) -> None:
            async with slots.hold(all="", host=host):
                order.append((name, asyncio.get_running_loop().time()))
                await asyncio.sleep(1)

        async with asyncio.TaskGroup() as group:
            for name, host in [("a", "x"), ("b", "x"), ("c", "y")]:
                group.create_task(work(name, host))
        return order

    assert run_virtual(main()) == [("a", 0), ("c", 0), ("b", 1)]


def test_no_limit_means_any_number() -> None:
    async def main() -> int:
        slots = Slots({"all": 0})
        async with asyncio.TaskGroup() as group:
            for _ in range(50):
                group.create_task(held(slots))
        return slots.peaks["all"]

    async def held(slots: Slots) -> None:
        async with slots.hold(all="", host="x"):
            await asyncio.sleep(1)

    assert run_virtual(main()) == 50


def test_a_turn_that_was_given_up_in_the_same_instant_is_passed_on() -> None:
    async def main() -> float:
        slots = Slots({"all": 1})

        async def hold(seconds: float) -> None:
            async with slots.hold(all=""):
                await asyncio.sleep(seconds)

        first, second, third = (asyncio.create_task(hold(s)) for s in (1, 1, 1))
        await asyncio.sleep(0.5)
        asyncio.get_running_loop().call_at(1.0, second.cancel)  # just after the first one's timer
        await asyncio.gather(first, second, third, return_exceptions=True)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 2
