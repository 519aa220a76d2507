"""The services of many hosts restart, all at once or one after the other."""

from __future__ import annotations

import asyncio
from typing import Annotated

from rpcscope.fleet.host import Host
from rpcscope.flows.hosts import start, stop
from rpcscope.flows.parameters import Count, Parameters, Seconds, said
from rpcscope.flows.servers import hosts_of
from rpcscope.flows.stage import Stage


class AgentRestartStorm(Parameters, frozen=True, kw_only=True):
    """Which hosts, how."""

    count: Annotated[Count, said("hosts, by chance; 0: all")] = 0
    zone: Annotated[str, said("of these alone; any when empty")] = ""
    apart_s: Annotated[Seconds, said("from one host to the next; 0: all at once")] = 0.0
    down_s: Annotated[Seconds, said("how long each is away")] = 5.0


async def agent_restart_storm(stage: Stage, asked: AgentRestartStorm) -> None:
    """Restart them, in the order of the fleet; ends when all are back."""
    hosts = hosts_of(stage, (), zone=asked.zone)
    if 0 < asked.count < len(hosts):
        chosen = set(stage.rng.sample(range(len(hosts)), asked.count))
        hosts = [host for n, host in enumerate(hosts) if n in chosen]
    async with asyncio.TaskGroup() as group:
        for n, host in enumerate(hosts):
            group.create_task(_restart(stage, host, n * asked.apart_s, asked.down_s))


async def _restart(stage: Stage, host: Host, after_s: float, down_s: float) -> None:
    await stage.sleep(after_s)
    await stop(stage, host, cleanly=True)
    await stage.sleep(down_s)
    await start(stage, host)
