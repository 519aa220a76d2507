"""A diskless fleet: hosts join, die, lose their servers to others, and join again.

registered -> checked -> in stock -> image into memory -> checked -> joined
                fails: told to the webhook      ^                       |
                                                | rebooted clean        dies: its servers go to others
                                                +-----------------------+
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

from msgspec import Meta

from rpcscope.errors import UsageError
from rpcscope.fleet.host import Host, HostState
from rpcscope.flows.evacuation import Evacuation, evacuate_all
from rpcscope.flows.hosts import boot_host, check, start, stop
from rpcscope.flows.parameters import Count, Parameters, Seconds, Some, said
from rpcscope.flows.slots import Slots
from rpcscope.flows.stage import Stage


class HostLifecycle(Parameters, frozen=True, kw_only=True):
    """How many hosts join, how many fail."""

    joining: Annotated[Count, said("hosts that are new: the fleet's last ones without servers; 0: all of those")] = 0
    boots: Annotated[Count, said("hosts that load their image at one time; 0: any number")] = 20
    failing: Annotated[Count, said("hosts that die once all have joined, by chance")] = 1
    apart_s: Annotated[Seconds, said("from one death to the next")] = 60.0
    pool: Annotated[Count, said("evacuations at one time of one host; 0: all")] = 3
    tries: Annotated[Some, said("of a host that fails its check")] = 3
    webhook: Annotated[
        str,
        Meta(pattern="^(https?://.+)?$"),
        said("URL that is told of each failed check; its account is sent as a header"),
    ] = ""


async def host_lifecycle(stage: Stage, asked: HostLifecycle) -> None:
    """Let the new hosts join, then some die and come back."""
    if not any(host.group.diskless for host in stage.fleet.hosts.values()):
        raise UsageError("No host of the fleet is diskless: set `diskless: true` for some of them.")
    slots, new = Slots({"all": asked.boots}), _new(stage, asked)
    for host in new:
        stage.fleet.set_state(host.name, HostState.STOCK)
        await stage.world.remove_host(host.name, cleanly=True)
    async with asyncio.TaskGroup() as group:
        for host in new:
            group.create_task(_register(stage, asked, host, slots))
    async with asyncio.TaskGroup() as group:
        for n, host in enumerate(_dying(stage, asked)):
            group.create_task(_die(stage, asked, host, n * asked.apart_s, slots))


def _new(stage: Stage, asked: HostLifecycle) -> list[Host]:
    empty = [host for host in stage.fleet.hosts.values() if host.group.diskless and not host.servers]
    return empty[-asked.joining :] if asked.joining else empty


def _dying(stage: Stage, asked: HostLifecycle) -> list[Host]:
    hosts = [host for host in stage.fleet.hosts.values() if host.group.diskless and host.state is HostState.UP]
    return stage.rng.sample(hosts, min(asked.failing, len(hosts)))


async def _register(stage: Stage, asked: HostLifecycle, host: Host, slots: Slots) -> None:
    """A new machine: known, checked, put into stock, then taken from it."""
    stage.report.note("host registered", host=host.name)
    if await _tried(stage, asked, host, lambda: check(stage, host)):
        stage.fleet.set_state(host.name, HostState.STOCK)
        stage.report.note("host in stock", host=host.name)
        await _join(stage, asked, host, slots)


async def _join(stage: Stage, asked: HostLifecycle, host: Host, slots: Slots) -> None:
    """Image into memory, check, services."""

    async def boot() -> bool:
        async with slots.hold(all=""):
            return await boot_host(stage, host)

    if await _tried(stage, asked, host, boot):
        await start(stage, host)
        stage.report.note("host joined", host=host.name)
    stage.report.peak("hosts that boot", slots.peaks["all"])


async def _tried(stage: Stage, asked: HostLifecycle, host: Host, what: Callable[[], Awaitable[bool]]) -> bool:
    """Whether it passed at last; each failed check is told."""
    for attempt in range(1, asked.tries + 1):
        if await what():
            return True
        _notify(stage, asked, host, attempt)
    stage.report.note("host given up", host=host.name, tries=asked.tries)
    return False


async def _die(stage: Stage, asked: HostLifecycle, host: Host, after_s: float, slots: Slots) -> None:
    """It dies, loses its servers to others, is rebooted clean and joins again."""
    await stage.sleep(after_s)
    await stop(stage, host, cleanly=False)
    await stage.sleep(stage.fleet.file.timing.detect_s)
    servers = list(host.servers.values())
    left = await evacuate_all(stage, Evacuation(pool=asked.pool), servers)
    stage.report.note("host kept servers" if left else "host evacuated", host=host.name, left=left)
    await _join(stage, asked, host, slots)


def _notify(stage: Stage, asked: HostLifecycle, host: Host, attempt: int) -> None:
    if asked.webhook:
        event = {"event": "check failed", "host": host.name, "at_s": round(stage.world.now_s(), 3), "attempt": attempt}
        stage.outside.tell(asked.webhook, event)
        stage.report.note("webhook told", host=host.name)
