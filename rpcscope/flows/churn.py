"""Boots and deletes in balance: the fleet stays as full as it is."""

from __future__ import annotations

import asyncio
from typing import Annotated

from rpcscope.fleet.host import Server
from rpcscope.flows.pacer import Pacer
from rpcscope.flows.pacing import due_times, parse_pace
from rpcscope.flows.parameters import Pace, Parameters, Some, said
from rpcscope.flows.servers import boot, delete, flavor_of
from rpcscope.flows.stage import Stage


class Churn(Parameters, frozen=True, kw_only=True):
    """How many, how fast."""

    count: Annotated[Some, said("servers to boot, and as many to delete")] = 100
    pace: Pace = "poisson:1"
    flavor: Annotated[str, said("of the new servers; any of the file by chance when empty")] = ""


async def churn(stage: Stage, asked: Churn) -> None:
    """Delete a server by chance and boot another, again and again; ends when the last one is over."""
    pacer = Pacer(stage.world, due_times(parse_pace(asked.pace), stage.rng), asked.count)
    old = list(stage.fleet.servers.values())
    async with asyncio.TaskGroup() as group:
        async for _ in pacer:
            group.create_task(_add(stage, old, flavor_of(stage, asked.flavor)))
            server = _take(stage, old)
            if server is not None:
                group.create_task(delete(stage, server))
    stage.report.paced = pacer.paced()


async def _add(stage: Stage, servers: list[Server], flavor: str) -> None:
    server = await boot(stage, flavor)
    if server is not None:
        servers.append(server)


def _take(stage: Stage, servers: list[Server]) -> Server | None:
    """One by chance, that nobody else deletes."""
    if not servers:
        return None
    place = stage.rng.randrange(len(servers))
    servers[place], servers[-1] = servers[-1], servers[place]
    return servers.pop()
