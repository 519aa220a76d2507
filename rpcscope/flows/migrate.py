"""Moves one server to another host while it runs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from rpcscope.fleet.host import Host, HostState, Server
from rpcscope.fleet.network import disk_speed, guest_of, route
from rpcscope.flows.copying import MemoryCopy, Way
from rpcscope.flows.stage import Stage, done
from rpcscope.physics import MIB, Phase


class Moved(StrEnum):
    """What came of it."""

    MOVED = "moved"
    ABORTED = "aborted"  # the copy was given up
    FAILED = "failed"  # the control plane said no, or did not answer
    NO_ROOM = "no room"
    GONE = "gone"  # it was not there any more when its turn came


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a server is to be moved."""

    dest: str = ""  # "": the scheduler's choice
    avoid: Collection[str] = ()  # hosts that may not have it
    second_best: Collection[str] = ()  # those, and hosts that get it only when no other has room
    same_zone: bool = True
    bandwidth_mib_s: float = inf
    abort_after_s: float = inf  # of copying


ANY = Wish()


async def migrate(stage: Stage, server: Server, wish: Wish = ANY) -> Moved:
    """Live-migrate a server, once its host sends no more than it may at one time."""
    source = server.host
    async with stage.copies.hold(source=source):
        if server.host != source or not source or server.claimed:
            return Moved.GONE
        dest = choose(stage, server, wish)
        if dest is None:
            stage.report.note("no host has room", host=source, server=server.uuid)
            return Moved.NO_ROOM
        stage.fleet.claim(server.uuid, dest.name)
        try:
            return await _carry(stage, server, dest, wish)
        finally:
            stage.fleet.unclaim(server.uuid)


def choose(stage: Stage, server: Server, wish: Wish) -> Host | None:
    """Where it is to go; None: no host may have it."""
    fleet = stage.fleet
    if wish.dest:
        dest = fleet.host(wish.dest)
        return dest if dest.state is HostState.UP and fleet.fits(server.uuid, dest.name) else None
    zone = fleet.host(server.host).zone if wish.same_zone else None
    best = fleet.choose(server.uuid, zone=zone, without=wish.second_best or wish.avoid)
    return best or (fleet.choose(server.uuid, zone=zone, without=wish.avoid) if wish.second_best else None)


async def _carry(stage: Stage, server: Server, dest: Host, wish: Wish) -> Moved:
    source = stage.fleet.hosts[server.host]
    copy = MemoryCopy(stage.world, stage.traffic, _way(stage, server, source, dest, wish), stage.policy)
    answer = await stage.operate(
        "live-migration", [server.uuid], source=source.name, dest=dest.name, waits={"memory-copy": copy.copy}
    )
    _tell(stage, server, source, copy)
    if done(answer):
        stage.fleet.move(server.uuid, dest.name)
        return Moved.MOVED
    aborted = copy.state is not None and copy.state.phase is Phase.ABORTED
    return Moved.ABORTED if aborted else Moved.FAILED


def _way(stage: Stage, server: Server, source: Host, dest: Host, wish: Wish) -> Way:
    return Way(
        guest=guest_of(server.flavor),
        links=route(source, dest),
        cap=wish.bandwidth_mib_s * MIB,
        disk_speed=disk_speed(source, dest),
        steal=source.steal(stage.day_s()),
        abort_after_s=wish.abort_after_s,
    )


def _tell(stage: Stage, server: Server, source: Host, copy: MemoryCopy) -> None:
    if copy.state is None:
        return
    stage.report.add("copied bytes", copy.state.data)
    what = "aborted" if copy.state.phase is Phase.ABORTED else "ended"
    stage.report.note(
        f"memory copy {what}",
        host=source.name,
        server=server.uuid,
        rounds=copy.state.rounds,
        sent_bytes=copy.state.data,
        downtime_s=round(copy.state.downtime_s, 3),
        throttle=copy.state.throttle,
        can_converge=not copy.never_converged,
    )
    if copy.never_converged:
        stage.report.note("can not converge", host=source.name, server=server.uuid, flavor=server.flavor_name)
