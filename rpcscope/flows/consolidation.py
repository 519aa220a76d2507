"""Empties hosts that do little onto others that have room, so that they could be switched off."""

from __future__ import annotations

from typing import Annotated

from rpcscope.fleet.day import demand
from rpcscope.fleet.host import Host, HostState, Server
from rpcscope.flows.detaching import Detaching, attach, check_commands, detach
from rpcscope.flows.hosts import enable
from rpcscope.flows.migrate import Moved, Wish, migrate
from rpcscope.flows.parameters import Count, Seconds, Share, said
from rpcscope.flows.stage import Stage


class Consolidation(Detaching, frozen=True, kw_only=True):
    """Which hosts are emptied, and how full others may become."""

    floor: Annotated[Share, said("load under which a host is emptied")] = 0.20
    ceiling: Annotated[Share, said("load that no other host may get above by it")] = 0.70
    hosts: Annotated[Count, said("to empty at most; 0: any number")] = 0
    start_of_day_s: Annotated[Seconds, said("time of the day at which it begins and whose load counts")] = 0.0


async def consolidation(stage: Stage, asked: Consolidation) -> None:
    """Empty the idlest host first, one after the other; one of which nothing would remain half done is not begun."""
    check_commands(asked)
    stage.midnight_s = asked.start_of_day_s
    emptied = 0
    filled: set[str] = set()
    for host in sorted(_idle(stage, asked), key=lambda one: (one.load(asked.start_of_day_s), one.order)):
        if asked.hosts and emptied >= asked.hosts:
            return
        if host.name in filled or not host.servers:
            continue
        plan = _plan(stage, asked, host)
        if plan is None:
            stage.report.note("no room for all its servers", host=host.name, servers=len(host.servers))
            continue
        emptied += await _empty(stage, asked, host, plan)
        filled.update(plan.values())


def _idle(stage: Stage, asked: Consolidation) -> list[Host]:
    hosts = stage.fleet.hosts.values()
    return [host for host in hosts if host.state is HostState.UP and host.load(asked.start_of_day_s) < asked.floor]


def _plan(stage: Stage, asked: Consolidation, host: Host) -> dict[str, str] | None:
    """Each server's new host: the fullest that still has room, so that the others can be emptied too."""
    day_s, fleet, plan = asked.start_of_day_s, stage.fleet, dict[str, str]()
    added: dict[str, float] = {}
    try:
        for server in sorted(host.servers.values(), key=lambda one: (-one.flavor.memory_gib, one.number)):
            wants = demand(server.flavor, day_s)
            able = [
                dest
                for dest in fleet.candidates(server.uuid, zone=host.zone)
                if dest.runnable(day_s) + added.get(dest.name, 0.0) + wants <= asked.ceiling * dest.group.cores
                and (dest.servers or dest.expected)
            ]
            if not able:
                return None
            dest = max(able, key=lambda one: (one.load(day_s), -one.free_mib, one.order))
            fleet.claim(server.uuid, dest.name)
            plan[server.uuid], added[dest.name] = dest.name, added.get(dest.name, 0.0) + wants
        return plan
    finally:
        for uuid in plan:
            fleet.unclaim(uuid)


async def _empty(stage: Stage, asked: Consolidation, host: Host, plan: dict[str, str]) -> bool:
    await enable(stage, host, enabled=False)
    for uuid, dest in plan.items():
        await _move(stage, asked, stage.fleet.servers[uuid], dest)
    if host.servers:
        stage.report.note("host kept servers", host=host.name, left=len(host.servers))
        await enable(stage, host, enabled=True)
        return False
    stage.report.note("host emptied", host=host.name, servers=len(plan))
    return True


async def _move(stage: Stage, asked: Consolidation, server: Server, dest: str) -> bool:
    if not await detach(stage, asked, server, dest):
        return False
    moved = await migrate(stage, server, Wish(dest=dest))
    await attach(stage, asked, server, dest)
    return moved is Moved.MOVED
