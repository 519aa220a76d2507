"""A host may die at any moment of opening its connections; the cloud goes on."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from rpcscope.emulator.bus_world import BusWorld
from rpcscope.flows.world import Asked
from rpcscope.private_broker import PrivateBroker
from tests.support.emulated import SMALL, always, call, own_vhost, template, world_of

pytestmark = pytest.mark.server


def test_a_host_that_dies_while_its_pool_grows_ends_nothing_but_itself(rabbitmq: PrivateBroker) -> None:
    ask = template("ask", call("ping", sender="compute", sender_host="source", work=always(0.0)), instances=0)

    async def die(world: BusWorld, after_s: float) -> None:
        asked = Asked(kind="ask", instances=[], source="compute-1")
        several = [asyncio.create_task(world.operate(asked)) for _ in range(20)]
        await asyncio.sleep(after_s)
        await world.remove_host("compute-1", cleanly=False)
        await asyncio.gather(*several)
        await world.add_host("compute-1")

    async def play() -> None:
        control = msgspec.structs.replace(SMALL, send_pool=20, rpc_timeout_s=2.0)
        with own_vhost(rabbitmq) as own:
            async with world_of(own, [ask], control=control) as world:
                for n in range(12):
                    await die(world, n * 0.002)
                answer = await world.operate(Asked(kind="ask", instances=[], source="compute-1"))
                assert answer.error == ""

    asyncio.run(asyncio.wait_for(play(), 120))
