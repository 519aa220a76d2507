"""Boots and deletes single servers."""

from __future__ import annotations

from rpcscope.errors import UsageError
from rpcscope.fleet.host import Host, Server
from rpcscope.flows.stage import Stage, done


async def boot(stage: Stage, flavor: str, *, zone: str = "", takes_s: float | None = None) -> Server | None:
    """Boot a server where the scheduler puts it; None when it came to nothing.

    Args:
        flavor: of the fleet file.
        zone: where; "": anywhere.
        takes_s: what the hypervisor needs; None: as recorded.
    """
    server = stage.fleet.make(flavor)
    host = stage.fleet.choose(server.uuid, zone=zone or None)
    if host is None:
        stage.report.note("no host has room", server=server.uuid, flavor=flavor)
        stage.fleet.remove(server.uuid)
        await stage.operate_if_known("create-no-valid-host", [server.uuid])
        return None
    stage.fleet.claim(server.uuid, host.name)
    answer = await stage.operate("create", [server.uuid], dest=host.name, waits=stage.spawn(takes_s))
    if not done(answer):
        stage.fleet.remove(server.uuid)
        return None
    stage.fleet.place(server.uuid, host.name)
    return server


async def delete(stage: Stage, server: Server) -> bool:
    """Delete a server that is on a host and not under way; whether it is gone."""
    answer = await stage.operate("delete", [server.uuid], source=server.host)
    if done(answer):
        stage.fleet.remove(server.uuid)
    return done(answer)


def flavor_of(stage: Stage, wanted: str) -> str:
    """The flavor that was asked for, or one of the file by chance. Raises UsageError for one that is not in it."""
    flavors = list(stage.fleet.file.flavors)
    if not flavors or (wanted and wanted not in flavors):
        raise UsageError(f"The fleet has no flavor {wanted!r}: name one of {', '.join(flavors) or 'those you add'}.")
    return wanted or stage.rng.choice(flavors)


def hosts_of(stage: Stage, names: tuple[str, ...], *, zone: str = "", rack: str = "") -> list[Host]:
    """The hosts that were named, or those of a zone or a rack, in the file's order; all, when nothing was asked for.

    Raises UsageError for a host that is not in the fleet, and for a zone or a rack without any.
    """
    if names:
        return [stage.fleet.host(name) for name in names]
    hosts = [host for host in stage.fleet.hosts.values() if zone in ("", host.zone) and rack in ("", host.rack)]
    if not hosts:
        raise UsageError("The fleet has no host of that zone and rack: `rpcscope fleet check` tells which there are.")
    return hosts
