"""Emulated services on a private broker."""

from __future__ import annotations

import asyncio

import pytest

from rpcscope.flows.world import Asked, Ended
from rpcscope.private_broker import PrivateBroker
from tests.support.emulated import INSTANCE, boot, own_vhost, world_of

pytestmark = pytest.mark.server


def test_a_boot_is_played_to_its_end(rabbitmq: PrivateBroker) -> None:
    async def play() -> None:
        async with world_of(own, [boot()]) as world:
            answer = await world.operate(Asked(kind="create", instances=[INSTANCE], dest="compute-1"))
            print(answer, world.tally.as_dict())
            assert answer.ended is Ended.DONE

    with own_vhost(rabbitmq) as own:
        asyncio.run(asyncio.wait_for(play(), 30))
