"""Boots one server of a dead host elsewhere."""

from __future__ import annotations

from rpcscope.fleet.host import Host, Server
from rpcscope.flows.stage import Stage, done

ANY_ZONE = ""


async def evacuate_one(
    stage: Stage, server: Server, *, zone: str = ANY_ZONE, tries: int = 3, takes_s: float | None = None
) -> bool:
    """Evacuate a server; on failure the scheduler is asked for another host. Whether it runs elsewhere.

    Args:
        server: of a host that is down.
        zone: where it may go; "": anywhere.
        tries: at most, each on another host.
        takes_s: what the hypervisor needs; None: as recorded.
    """
    tried: set[str] = set()
    for _ in range(tries):
        dest = stage.fleet.choose(server.uuid, zone=zone or None, without=tried)
        if dest is None:
            break
        tried.add(dest.name)
        if await _onto(stage, server, dest, takes_s):
            return True
    if len(tried) < tries:
        stage.report.note("no host has room", host=server.host, server=server.uuid)
    return False


async def _onto(stage: Stage, server: Server, dest: Host, takes_s: float | None) -> bool:
    stage.fleet.claim(server.uuid, dest.name)
    try:
        answer = await stage.operate(
            "evacuate", [server.uuid], source=server.host, dest=dest.name, waits=stage.spawn(takes_s)
        )
        if done(answer):
            stage.fleet.move(server.uuid, dest.name)
        return done(answer)
    finally:
        stage.fleet.unclaim(server.uuid)
