"""Hosts, a rack or a zone die; their servers are booted elsewhere; the dead hosts may come back.

died --detect--> down --wait--> disabled, evacuated by a pool --> ... --> back: cleans up what was evacuated
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import Annotated

from rpcscope.fleet.host import Host, Server
from rpcscope.flows.evacuate import evacuate_one
from rpcscope.flows.hosts import start, stop
from rpcscope.flows.parameters import Count, Parameters, Seconds, Some, said
from rpcscope.flows.servers import hosts_of
from rpcscope.flows.slots import Slots
from rpcscope.flows.stage import Stage


class Evacuation(Parameters, frozen=True, kw_only=True):
    """What dies, and how it is answered. Defaults are Masakari's."""

    hosts: Annotated[tuple[str, ...], said("by name; those of `rack` and `zone` when none is given")] = ()
    rack: Annotated[str, said("all hosts of a rack")] = ""
    zone: Annotated[str, said("all hosts of an availability zone")] = ""
    wait_s: Annotated[Seconds, said("after the hosts are disabled (wait_period_after_service_update)")] = 180.0
    pool: Annotated[Count, said("evacuations at one time of one host (host_failure_recovery_threads); 0: all")] = 3
    patience_s: Annotated[Seconds, said("for each evacuation (wait_period_after_evacuation); 0: any")] = 90.0
    tries: Annotated[Some, said("hosts that the scheduler is asked for, for each server")] = 3
    other_zones: Annotated[bool, said("servers may go to another availability zone")] = False
    spawn_s: Annotated[Seconds | None, said("what the hypervisor needs for each; as recorded when not given")] = None
    return_s: Annotated[Seconds, said("when the dead hosts come back, after they died; 0: they do not")] = 0.0


async def evacuation(stage: Stage, asked: Evacuation) -> None:
    """Let them die, and evacuate each once it counts as down."""
    dead = hosts_of(stage, asked.hosts or _first(stage, asked), zone=asked.zone, rack=asked.rack)
    async with asyncio.TaskGroup() as group:
        for host in dead:
            group.create_task(_host(stage, asked, host))


def _first(stage: Stage, asked: Evacuation) -> tuple[str, ...]:
    """The fleet's first host, when nothing else was asked for."""
    return () if asked.rack or asked.zone else tuple(stage.fleet.hosts)[:1]


async def _host(stage: Stage, asked: Evacuation, host: Host) -> None:
    died = stage.world.now_s()
    await stop(stage, host, cleanly=False)
    await stage.sleep(stage.fleet.file.timing.detect_s)
    stage.report.note("host counts as down", host=host.name, servers=len(host.servers))
    await stage.sleep(asked.wait_s)
    there = list(host.servers.values())
    left = await evacuate_all(stage, asked, there)
    stage.report.note("host kept servers" if left else "host evacuated", host=host.name, left=left)
    if asked.return_s:
        await stage.sleep(asked.return_s - (stage.world.now_s() - died))
        await come_back(stage, host, there)


async def evacuate_all(stage: Stage, asked: Evacuation, servers: list[Server]) -> int:
    """Evacuate the servers of a host by a pool; how many could not be."""
    slots = Slots({"all": asked.pool})
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_pooled(stage, asked, server, slots)) for server in servers]
    stage.report.peak("evacuations of one host", slots.peaks["all"])
    return sum(not task.result() for task in tasks)


async def come_back(stage: Stage, host: Host, evacuated: list[Server]) -> None:
    """Start a dead host: the first thing it does is to destroy what is left of guests that run elsewhere."""
    gone = [server for server in evacuated if server.host != host.name]
    await start(stage, host)
    stage.report.note("evacuated guests cleaned up", host=host.name, servers=len(gone))


async def _pooled(stage: Stage, asked: Evacuation, server: Server, slots: Slots) -> bool:
    """A member of the pool watches an evacuation for so long, then takes the next; the evacuation goes on."""
    zone = "" if asked.other_zones else stage.fleet.host(server.host).zone
    async with asyncio.TaskGroup() as group, slots.hold(all=""):
        work = group.create_task(evacuate_one(stage, server, zone=zone, tries=asked.tries, takes_s=asked.spawn_s))
        watch = group.create_task(stage.sleep(asked.patience_s or inf))
        await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
        watch.cancel()
        if not work.done():
            stage.report.note("evacuation takes too long", host=server.host, server=server.uuid)
    return work.result()
