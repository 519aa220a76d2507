"""Live migrations of servers that were named, or of some by chance."""

from __future__ import annotations

import asyncio
from math import inf
from typing import Annotated

from rpcscope.errors import UsageError
from rpcscope.fleet.host import Server
from rpcscope.flows.migrate import Wish, migrate
from rpcscope.flows.parameters import Parameters, Seconds, Some, said
from rpcscope.flows.servers import flavor_of
from rpcscope.flows.stage import Stage


class LiveMigration(Parameters, frozen=True, kw_only=True):
    """Which servers, where to."""

    servers: Annotated[tuple[str, ...], said("uuids; some by chance when none is given")] = ()
    count: Annotated[Some, said("how many by chance")] = 1
    flavor: Annotated[str, said("of these by chance; any when empty")] = ""
    dest: Annotated[str, said("host; the scheduler's choice when empty")] = ""
    abort_after_s: Annotated[Seconds, said("when somebody gives a copy up; 0: nobody does")] = 0.0


async def live_migration(stage: Stage, asked: LiveMigration) -> None:
    """Move them all at once, as far as their hosts let them; ends when the last one is over."""
    wish = Wish(dest=asked.dest, abort_after_s=asked.abort_after_s or inf)
    async with asyncio.TaskGroup() as group:
        for server in _chosen(stage, asked):
            group.create_task(migrate(stage, server, wish))


def _chosen(stage: Stage, asked: LiveMigration) -> list[Server]:
    known = stage.fleet.servers
    unknown = next((uuid for uuid in asked.servers if uuid not in known), None)
    if unknown is not None:
        raise UsageError(f"The fleet has no server {unknown!r}: name servers of `rpcscope fleet check`, or none.")
    if asked.servers:
        return [known[uuid] for uuid in asked.servers]
    if asked.flavor:
        flavor_of(stage, asked.flavor)
    those = [one for one in known.values() if one.host != asked.dest and asked.flavor in ("", one.flavor_name)]
    return stage.rng.sample(those, min(asked.count, len(those)))
