"""What `fleet check` expects on a broker is what an emulated cloud has there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import msgspec
import pytest

from rpcscope.fleet.shapes import COMPUTES, ShapeName
from rpcscope.private_broker import PrivateBroker
from tests.support.emulated import SMALL, own_vhost, world_of

pytestmark = pytest.mark.server
HOSTS = ["compute-1", "compute-2", "compute-3"]


@dataclass(frozen=True, kw_only=True)
class Idle:
    """What one API, conductor and scheduler have that nobody asked for anything yet."""

    connections: int
    replies: int  # queues


IDLE = {False: Idle(connections=2, replies=0), True: Idle(connections=3, replies=3)}  # by: the shape is reduced


@pytest.mark.parametrize("shape", list(COMPUTES))
def test_idle_computes_have_the_connections_queues_and_consumers_that_are_expected(
    rabbitmq: PrivateBroker, shape: ShapeName
) -> None:
    control = msgspec.structs.replace(SMALL, shape=shape)
    expected, idle = COMPUTES[shape], IDLE[shape == "reduced"]

    async def look() -> tuple[int, dict[str, int]]:
        async with world_of(own, [], HOSTS, control=control) as world:
            return world.connections, await asyncio.to_thread(of_computes, rabbitmq, own.name)

    with own_vhost(rabbitmq) as own:
        connections, queues = asyncio.run(asyncio.wait_for(look(), 60))
    private, shared = expected.private_queues(stream=False), expected.shared_queues(stream=False)
    assert connections == len(HOSTS) * expected.connections + idle.connections
    assert sum(queues.values()) == len(HOSTS) * expected.consumers + idle.replies
    assert len(queues) == len(HOSTS) * private + shared + idle.replies


def of_computes(server: PrivateBroker, vhost: str) -> dict[str, int]:
    """Consumers by queue: of computes, and all reply queues."""
    listed = server.ctl("-s", "list_queues", "-p", vhost, "name", "consumers")
    rows = [line.split() for line in listed.splitlines()]
    return {name: int(count) for name, count in rows if name.startswith(("compute", "reply_"))}
