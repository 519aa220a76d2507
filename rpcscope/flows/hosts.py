"""What hosts go through: they end, boot, are checked, and serve again."""

from __future__ import annotations

from rpcscope.fleet.host import Host, HostState
from rpcscope.flows.stage import Stage


async def enable(stage: Stage, host: Host, *, enabled: bool) -> None:
    """Let the scheduler give it servers, or no more, as nova's API does it: by a call to the host."""
    stage.fleet.set_state(host.name, HostState.UP if enabled else HostState.DISABLED)
    stage.report.note("host enabled" if enabled else "host disabled", host=host.name, servers=len(host.servers))
    await stage.operate_if_known("set_host_enabled", (), source=host.name)


async def stop(stage: Stage, host: Host, *, cleanly: bool) -> None:
    """End its services: cleanly for maintenance, or as when power fails."""
    stage.fleet.set_state(host.name, HostState.MAINTENANCE if cleanly else HostState.DOWN)
    stage.report.note("host stopped" if cleanly else "host died", host=host.name)
    await stage.world.remove_host(host.name, cleanly=cleanly)


async def start(stage: Stage, host: Host) -> None:
    """Start its services; it may get servers from then on."""
    await stage.world.add_host(host.name)
    stage.fleet.set_state(host.name, HostState.UP)
    stage.report.note("host up", host=host.name)


async def boot_host(stage: Stage, host: Host) -> bool:
    """From power on until it passed its check: reboot or, diskless, the image into memory. Whether it passed."""
    timing = stage.fleet.file.timing
    await stage.sleep(timing.boot_image_s if host.group.diskless else timing.reboot_s)
    return await check(stage, host)


async def check(stage: Stage, host: Host) -> bool:
    """Whether a host passes its check; one that does not is down."""
    timing = stage.fleet.file.timing
    await stage.sleep(timing.check_s)
    if stage.rng.random() < timing.failure_share:
        stage.fleet.set_state(host.name, HostState.DOWN)
        stage.report.note("check failed", host=host.name)
        return False
    return True
