"""Drains hosts: each is disabled, and all its servers move away."""

from __future__ import annotations

import asyncio
from math import inf
from typing import Annotated

from rpcscope.flows.emptying import Fallback, Manner, empty, migration_slots
from rpcscope.flows.parameters import Count, Parameters, Seconds, Some, said
from rpcscope.flows.servers import hosts_of
from rpcscope.flows.stage import Stage


class Drain(Parameters, frozen=True, kw_only=True):
    """Which hosts, how."""

    hosts: Annotated[tuple[str, ...], said("by name; the first one of the fleet when none is given")] = ()
    parallel: Annotated[Count, said("migrations at one time in all; 0: any number")] = 0
    per_host: Annotated[
        Count, said("migrations at one time from one host, beside max_concurrent of the fleet file; 0: any number")
    ] = 0
    fallback: Annotated[Fallback, said("what can not be moved while it runs: leave it, move it cold, or stop it")] = (
        "leave"
    )
    tries: Annotated[Some, said("of moving each server")] = 1
    abort_after_s: Annotated[Seconds, said("when a copy is given up; 0: when nova does")] = 0.0


async def drain(stage: Stage, asked: Drain) -> None:
    """Drain them side by side. They stay disabled."""
    hosts = hosts_of(stage, asked.hosts or tuple(stage.fleet.hosts)[:1])
    manner = Manner(
        slots=migration_slots(stage, asked.parallel, asked.per_host),
        fallback=asked.fallback,
        tries=asked.tries,
        abort_after_s=asked.abort_after_s or inf,
        avoid={host.name for host in hosts},
    )
    async with asyncio.TaskGroup() as group:
        for host in hosts:
            group.create_task(empty(stage, host, manner))
