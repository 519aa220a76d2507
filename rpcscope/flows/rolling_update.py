"""Updates the whole fleet, some hosts at a time: drain, reboot, check, back to service.

disabled -> drained -> stopped -> rebooted -> checked -> up
               |                                 |
               servers stay: left as it was      fails: stays down, and counts
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from math import inf
from typing import Annotated

from rpcscope.fleet.host import Host, HostState
from rpcscope.flows.emptying import Fallback, Manner, empty, migration_slots
from rpcscope.flows.hosts import boot_host, enable, start, stop
from rpcscope.flows.parameters import Count, Parameters, Seconds, Some, said
from rpcscope.flows.servers import hosts_of
from rpcscope.flows.slots import Slots
from rpcscope.flows.stage import Stage


class RollingUpdate(Parameters, frozen=True, kw_only=True):
    """Which hosts, how many at a time."""

    zone: Annotated[str, said("availability zone; all when empty")] = ""
    batch: Annotated[Some, said("hosts at a time")] = 4
    strict: Annotated[
        bool, said("a batch ends before the next begins; else a host follows as soon as one is ready")
    ] = False
    per_zone: Annotated[Count, said("hosts at a time in one availability zone; 0: any number")] = 0
    per_rack: Annotated[Count, said("hosts at a time in one rack; 0: any number")] = 0
    parallel: Annotated[Count, said("migrations at one time in all; 0: any number. Watcher has 6")] = 6
    per_host: Annotated[Count, said("migrations at one time from one host; 0: any number. Watcher has 2")] = 2
    failures: Annotated[Count, said("hosts that may fail; with one more no further host is begun")] = 3
    fallback: Annotated[
        Fallback, said("what can not be moved while it runs: leave it and its host, move it cold, or stop it")
    ] = "leave"
    tries: Annotated[Some, said("of moving each server")] = 1
    abort_after_s: Annotated[Seconds, said("when a copy is given up; 0: when nova does")] = 0.0


@dataclass(kw_only=True)
class _Update:
    """One run of it."""

    stage: Stage
    asked: RollingUpdate
    manner: Manner
    slots: Slots  # of hosts
    todo: set[str] = field(default_factory=set)
    failed: int = 0

    @property
    def stopped(self) -> bool:
        return self.failed > self.asked.failures


async def rolling_update(stage: Stage, asked: RollingUpdate) -> None:
    """Update them in the fleet's order; servers go to updated hosts first."""
    hosts = hosts_of(stage, (), zone=asked.zone)
    todo = {host.name for host in hosts}
    manner = Manner(
        slots=migration_slots(stage, asked.parallel, asked.per_host),
        fallback=asked.fallback,
        tries=asked.tries,
        abort_after_s=asked.abort_after_s or inf,
        second_best=todo,
    )
    places = Slots({"all": asked.batch, "zone": asked.per_zone, "rack": asked.per_rack})
    update = _Update(stage=stage, asked=asked, manner=manner, slots=places, todo=todo)
    step = asked.batch if asked.strict else max(1, len(hosts))
    for batch in (hosts[first : first + step] for first in range(0, len(hosts), step)):
        async with asyncio.TaskGroup() as group:
            for host in batch:
                group.create_task(_turn(update, host))
    for name in ("all", "zone", "rack"):
        stage.report.peak(f"hosts at a time ({name})", places.peaks[name])
    for name in ("all", "host"):
        stage.report.peak(f"migrations at a time ({name})", manner.slots.peaks[name])


async def _turn(update: _Update, host: Host) -> None:
    async with update.slots.hold(all="", zone=host.zone, rack=host.rack):
        if update.stopped:
            update.stage.report.note("host not begun", host=host.name)
            return
        if not await _one(update, host):
            update.failed += 1
            if update.failed == update.asked.failures + 1:
                update.stage.report.note("stopped: too many hosts failed", failed=update.failed)
        update.todo.discard(host.name)


async def _one(update: _Update, host: Host) -> bool:
    """Whether it is updated and back."""
    stage = update.stage
    if host.state is not HostState.UP:
        stage.report.note("host skipped", host=host.name, state=host.state.value)
        return True
    began = stage.world.now_s()
    if not await empty(stage, host, update.manner):
        await enable(stage, host, enabled=True)
        return False
    await stop(stage, host, cleanly=True)
    if not await boot_host(stage, host):
        return False
    await start(stage, host)
    await enable(stage, host, enabled=True)
    await _start_servers(update, host)
    stage.report.note("host updated", host=host.name, took_s=round(stage.world.now_s() - began, 3))
    return True


async def _start_servers(update: _Update, host: Host) -> None:
    """Those that were stopped because they could not move."""
    for server in list(host.servers.values()):
        if server.uuid in update.manner.stopped:
            await update.stage.operate("start", [server.uuid], source=host.name)
            update.manner.stopped.discard(server.uuid)
