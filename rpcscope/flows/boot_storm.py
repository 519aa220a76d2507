"""Many boots, at a pace that does not wait for them."""

from __future__ import annotations

import asyncio
from typing import Annotated

from rpcscope.flows.pacer import Pacer
from rpcscope.flows.pacing import due_times, parse_pace
from rpcscope.flows.parameters import Pace, Parameters, Seconds, Some, said
from rpcscope.flows.servers import boot, flavor_of, hosts_of
from rpcscope.flows.stage import Stage


class BootStorm(Parameters, frozen=True, kw_only=True):
    """How many, how fast."""

    count: Annotated[Some, said("servers to boot")] = 100
    pace: Pace = "10"
    flavor: Annotated[str, said("of the servers; any of the file by chance when empty")] = ""
    zone: Annotated[str, said("availability zone; any when empty")] = ""
    spawn_s: Annotated[Seconds | None, said("what the hypervisor needs for each; as recorded when not given")] = None


async def boot_storm(stage: Stage, asked: BootStorm) -> None:
    """Boot them; ends when the last one is over."""
    hosts_of(stage, (), zone=asked.zone)  # a zone without hosts is a mistake
    pacer = Pacer(stage.world, due_times(parse_pace(asked.pace), stage.rng), asked.count)
    async with asyncio.TaskGroup() as group:
        async for _ in pacer:
            flavor = flavor_of(stage, asked.flavor)
            group.create_task(boot(stage, flavor, zone=asked.zone, takes_s=asked.spawn_s))
    stage.report.paced = pacer.paced()
