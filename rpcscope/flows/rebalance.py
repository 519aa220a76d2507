"""Moves servers away from hosts whose CPU is stolen, until it is not.

A host is hot when its steal and its load are over their thresholds for a while. Its busiest server that may move goes
to the host of the same zone with the least steal, then the fewest servers of the same role.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from math import inf
from typing import Annotated

from rpcscope.fleet.day import demand
from rpcscope.fleet.host import Host, HostState, Server
from rpcscope.flows.detaching import Detaching, attach, check_commands, detach
from rpcscope.flows.migrate import Moved, Wish, migrate
from rpcscope.flows.parameters import Seconds, Share, Some, Speed, said
from rpcscope.flows.stage import Stage
from rpcscope.flows.steal_watch import StealWatch, Thresholds


class Rebalance(Detaching, frozen=True, kw_only=True):
    """When a server moves, and how."""

    lasts_s: Annotated[Seconds, said("how long it goes on")] = 3600.0
    interval_s: Annotated[Seconds, said("from one look at the hosts to the next")] = 60.0
    start_of_day_s: Annotated[Seconds, said("time of the day at which it begins, from midnight")] = 0.0
    steal_high: Annotated[Share, said("steal above which a host becomes hot")] = 0.10
    steal_low: Annotated[Share, said("steal below which it is not hot any more")] = 0.05
    load_high: Annotated[Share, said("load that it must have too")] = 0.80
    for_s: Annotated[Seconds, said("how long it must be above both")] = 300.0
    smoothing_s: Annotated[Seconds, said("time constant of the average of the steal")] = 120.0
    parallel: Annotated[Some, said("migrations at one time")] = 1
    bandwidth_mib_s: Annotated[Speed, said("limit of each migration in MiB/s; 0: none but the fleet file's")] = 0.0
    server_rest_s: Annotated[Seconds, said("a server that moved stays for so long")] = 3600.0
    host_rest_s: Annotated[Seconds, said("a host that a server left or joined is left alone for so long")] = 300.0


@dataclass(kw_only=True)
class _Run:
    """One run of it."""

    stage: Stage
    asked: Rebalance
    watch: StealWatch
    rested: dict[str, float] = field(default_factory=dict)  # server or host -> until when it is left alone
    moving: set[str] = field(default_factory=set)  # servers
    roles: set[str] = field(default_factory=set)  # of servers that are moving

    def rests(self, name: str) -> bool:
        return self.stage.world.now_s() < self.rested.get(name, -inf)


async def rebalance(stage: Stage, asked: Rebalance) -> None:
    """Look at all hosts again and again, and move what must move."""
    check_commands(asked)
    stage.midnight_s = asked.start_of_day_s
    limits = Thresholds(
        steal_high=asked.steal_high,
        load_high=asked.load_high,
        for_s=asked.for_s,
        steal_low=asked.steal_low,
        smoothing_s=asked.smoothing_s,
    )
    run, ends_s = _Run(stage=stage, asked=asked, watch=StealWatch(limits)), stage.world.now_s() + asked.lasts_s
    async with asyncio.TaskGroup() as group:
        while stage.world.now_s() < ends_s:
            for host in _hot(run):
                chosen = _choice(run, host) if len(run.moving) < asked.parallel else None
                if chosen is not None:
                    _begin(run, *chosen)
                    group.create_task(_move(run, *chosen))
            await stage.sleep(asked.interval_s or 1.0)


def _hot(run: _Run) -> list[Host]:
    """Those that are, the most stolen first."""
    stage, day_s, hot = run.stage, run.stage.day_s(), list[Host]()
    for host in stage.fleet.hosts.values():
        if host.state is not HostState.UP:
            continue
        steal, load = host.steal(day_s), host.load(day_s)
        stage.report.peak("steal", round(steal, 4))
        if run.watch.look(host, steal, load, stage.world.now_s()):
            hot.append(host)
    stage.report.peak("hot hosts", len(hot))
    return sorted(hot, key=lambda host: (-run.watch.steal(host), host.name))


def _choice(run: _Run, host: Host) -> tuple[Server, Host] | None:
    """The busiest server that may move and finds a better host, and that host."""
    if run.rests(host.name):
        return None
    day_s = run.stage.day_s()
    for server in sorted(host.servers.values(), key=lambda one: (-demand(one.flavor, day_s), one.number)):
        busy = server.uuid in run.moving or server.claimed or server.flavor.role in run.roles
        if busy or run.rests(server.uuid):
            continue
        dest = _target(run, server, host, day_s)
        if dest is not None:
            return server, dest
    return None


def _target(run: _Run, server: Server, host: Host, day_s: float) -> Host | None:
    """Of the same zone, with CPU for it: the least steal, then the fewest of its role, then of its flavor."""
    wants = demand(server.flavor, day_s)

    def rank(dest: Host) -> tuple[float, int, int, float, int]:
        alike = sum(one.flavor_name == server.flavor_name for one in dest.servers.values())
        return (run.watch.steal(dest), dest.roles[server.flavor.role], alike, dest.load(day_s), dest.order)

    able = [
        dest
        for dest in run.stage.fleet.candidates(server.uuid, zone=host.zone)
        if not run.rests(dest.name) and dest.runnable(day_s) + wants <= dest.group.cores
    ]
    return min(able, key=rank, default=None)


def _begin(run: _Run, server: Server, dest: Host) -> None:
    run.moving.add(server.uuid)
    run.rested[server.host] = run.rested[dest.name] = inf  # until it is over
    if server.flavor.role:
        run.roles.add(server.flavor.role)  # one of a role at a time


async def _move(run: _Run, server: Server, dest: Host) -> None:
    """Detach, migrate, attach; then both hosts and the server rest."""
    stage, asked, source = run.stage, run.asked, server.host
    stage.report.note("server is to move", host=source, server=server.uuid, dest=dest.name)
    try:
        if await detach(stage, asked, server, dest.name):
            wish = Wish(dest=dest.name, bandwidth_mib_s=asked.bandwidth_mib_s or inf)
            moved = await migrate(stage, server, wish)
            await attach(stage, asked, server, dest.name)
            if moved is Moved.MOVED:
                stage.report.note("server moved", host=dest.name, server=server.uuid, source=source)
    finally:
        now_s = stage.world.now_s()
        run.moving.discard(server.uuid)
        run.roles.discard(server.flavor.role)
        run.rested[server.uuid] = now_s + asked.server_rest_s
        run.rested[source] = run.rested[dest.name] = now_s + asked.host_rest_s
