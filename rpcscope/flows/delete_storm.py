"""Many deletes, at a pace that does not wait for them."""

from __future__ import annotations

import asyncio
from typing import Annotated

from rpcscope.flows.pacer import Pacer
from rpcscope.flows.pacing import due_times, parse_pace
from rpcscope.flows.parameters import Pace, Parameters, Some, said
from rpcscope.flows.servers import delete
from rpcscope.flows.stage import Stage


class DeleteStorm(Parameters, frozen=True, kw_only=True):
    """How many, how fast."""

    count: Annotated[Some, said("servers to delete, by chance; all when there are fewer")] = 100
    pace: Pace = "10"


async def delete_storm(stage: Stage, asked: DeleteStorm) -> None:
    """Delete them; ends when the last one is over."""
    servers = list(stage.fleet.servers.values())
    stage.rng.shuffle(servers)
    pacer = Pacer(stage.world, due_times(parse_pace(asked.pace), stage.rng), min(asked.count, len(servers)))
    async with asyncio.TaskGroup() as group:
        async for n in pacer:
            group.create_task(delete(stage, servers[n]))
    stage.report.paced = pacer.paced()
