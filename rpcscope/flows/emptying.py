"""Empties one host: moves all its servers away, with parallel limits; drains and updates stand on it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from math import inf
from typing import Literal

from rpcscope.fleet.host import Host, Server
from rpcscope.flows.hosts import enable
from rpcscope.flows.migrate import Moved, Wish, choose, migrate
from rpcscope.flows.slots import Slots
from rpcscope.flows.stage import Stage, done

Fallback = Literal["leave", "cold", "stop"]
_LOOK_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How hosts are emptied."""

    slots: Slots  # of `migration_slots`
    fallback: Fallback = "leave"
    tries: int = 1
    abort_after_s: float = inf
    avoid: Collection[str] = ()  # as in Wish
    second_best: Collection[str] = ()
    stopped: set[str] = field(default_factory=set)  # servers that were stopped where they were


def migration_slots(stage: Stage, parallel: int, per_host: int) -> Slots:
    """Limits of migrations in all and from one host, 0 for any number; a host's own limit counts too."""
    own = stage.fleet.file.migration.max_concurrent
    return Slots({"all": parallel, "host": min(per_host or own, own)})


async def empty(stage: Stage, host: Host, manner: Manner) -> bool:
    """Take a host out of scheduling and move its servers away; whether none runs on it any more."""
    await enable(stage, host, enabled=False)
    tried: set[str] = set()
    while (left := _longest_first(host, tried)) or host.expected:
        tried.update(server.uuid for server in left)
        async with asyncio.TaskGroup() as group:
            for server in left:
                group.create_task(_move(stage, server, manner))
        if not left:
            await stage.sleep(_LOOK_S)  # for servers that were on their way here when the host was disabled
    running = [server for server in host.servers.values() if server.uuid not in manner.stopped]
    stage.report.note("host kept servers" if running else "host drained", host=host.name, left=len(running))
    return not running


async def _move(stage: Stage, server: Server, manner: Manner) -> None:
    wish = Wish(avoid=manner.avoid, second_best=manner.second_best, abort_after_s=manner.abort_after_s)
    moved = Moved.NO_ROOM
    async with manner.slots.hold(all="", host=server.host):
        for _ in range(manner.tries):
            moved = await migrate(stage, server, wish)
            if moved in (Moved.MOVED, Moved.GONE):
                return
        await _fall_back(stage, server, manner, wish)


async def _fall_back(stage: Stage, server: Server, manner: Manner, wish: Wish) -> None:
    """What is done with a server that could not be moved while it runs."""
    if manner.fallback == "cold":
        await move_cold(stage, server, wish)
    elif manner.fallback == "stop" and done(await stage.operate("stop", [server.uuid], source=server.host)):
        manner.stopped.add(server.uuid)


async def move_cold(stage: Stage, server: Server, wish: Wish) -> bool:
    """Stop a server, move it and start it again; whether it moved."""
    dest = choose(stage, server, wish)
    if dest is None:
        return False
    stage.fleet.claim(server.uuid, dest.name)
    try:
        answer = await stage.operate("migrate", [server.uuid], source=server.host, dest=dest.name)
        if done(answer):
            stage.fleet.move(server.uuid, dest.name)
            await stage.operate("confirmResize", [server.uuid], source=server.host, dest=dest.name)
        return done(answer)
    finally:
        stage.fleet.unclaim(server.uuid)


def _longest_first(host: Host, tried: Collection[str]) -> list[Server]:
    """The largest first: what takes longest should not come last."""
    left = [server for server in host.servers.values() if server.uuid not in tried]
    return sorted(left, key=lambda server: (-server.flavor.memory_gib, server.number))
