"""Plays a schedule in a world."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rpcscope.errors import RpcscopeError
from rpcscope.flows.pacer import Paced, Pacer
from rpcscope.flows.world import Asked, World
from rpcscope.replay.mapping import Mapping
from rpcscope.replay.recorded import Past
from rpcscope.replay.schedule import Due


class Player:
    """Begins each operation when it is due, however long those before it take."""

    def __init__(self, past: Past, due: Sequence[Due], mapping: Mapping) -> None:
        self._past, self._due, self._mapping = past, due, mapping
        self._ended: Counter[str] = Counter()
        self._pacer: Pacer | None = None

    @property
    def paced(self) -> Paced | None:
        """How its times were kept so far; None before it began."""
        return None if self._pacer is None else self._pacer.paced()

    @property
    def ended(self) -> dict[str, int]:
        """How operations ended, by kind."""
        return dict(sorted(self._ended.items()))

    async def play(self, world: World) -> None:
        """All of them; ends when the last one is over. Raises UsageError, BrokerError."""
        self._pacer = Pacer(world, (one.at_s for one in self._due), len(self._due))
        try:
            async with asyncio.TaskGroup() as group:
                async for n in self._pacer:
                    group.create_task(self._operate(world, self._due[n]))
        except* RpcscopeError as errors:
            raise _first(errors) from None

    async def _operate(self, world: World, due: Due) -> None:
        one = self._past.operations[due.operation]
        server = one.servers[0] if one.servers else str(due.operation)
        source, dest = self._mapping.hosts(one.source, one.dest, copy=due.copy, server=server)
        servers = [self._mapping.server(uuid, due.copy) for uuid in one.servers]
        answer = await world.operate(Asked(kind=one.template.kind, instances=servers, source=source, dest=dest))
        self._ended[f"{one.kind} {answer.ended}"] += 1


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
