"""All connections of a share of the hosts are cut at once, and come back."""

from __future__ import annotations

import asyncio
from typing import Annotated

from rpcscope.fleet.host import Host
from rpcscope.flows.parameters import Parameters, Seconds, Share, said
from rpcscope.flows.stage import Stage


class ReconnectStorm(Parameters, frozen=True, kw_only=True):
    """How many, how soon."""

    share: Annotated[Share, said("of the hosts: one node of three brokers holds a third of the connections")] = 1 / 3
    back_s: Annotated[Seconds, said("until a host tries again; oslo.messaging's kombu_reconnect_delay is 1 s")] = 1.0
    splay_s: Annotated[Seconds, said("over which the hosts spread; oslo.messaging has none")] = 0.0


async def reconnect_storm(stage: Stage, asked: ReconnectStorm) -> None:
    """Cut them; ends when all are back."""
    hosts = list(stage.fleet.hosts.values())
    hosts = stage.rng.sample(hosts, round(asked.share * len(hosts)))
    async with asyncio.TaskGroup() as group:
        for host in hosts:
            group.create_task(_reconnect(stage, host, asked.back_s + stage.rng.random() * asked.splay_s))


async def _reconnect(stage: Stage, host: Host, back_s: float) -> None:
    # The fleet does not notice: a service counts as down only after a minute without a report.
    stage.report.note("connections cut", host=host.name)
    await stage.world.remove_host(host.name, cleanly=False)
    await stage.sleep(back_s)
    await stage.world.add_host(host.name)
    stage.report.note("connections back", host=host.name)
