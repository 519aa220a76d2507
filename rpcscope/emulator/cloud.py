"""The emulated processes: started, found by their parts, stopped or killed."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from rpcscope.emulator.cast_list import CastList, Part
from rpcscope.emulator.plug import Plug
from rpcscope.emulator.process import Process
from rpcscope.emulator.refusals import explained
from rpcscope.emulator.score import CONTROL_EXCHANGE, Node
from rpcscope.emulator.stage import Stage
from rpcscope.emulator.vhost import OwnVhost
from rpcscope.errors import BrokerError
from rpcscope.templates.model import SOURCE

STARTED_AT_ONCE = 40
"""Processes; a compute shakes five hands."""
Progress = Callable[[int, int], None]
"""Told how many processes have started, and of how many."""


class Cloud:
    """API, conductors, schedulers, and a compute on each host."""

    def __init__(self, own: OwnVhost, stage: Stage, nodes: Sequence[Node]) -> None:
        """`nodes`: all steps that may be played."""
        self._stage = stage
        self._nodes = nodes
        self._plug = Plug(own, stage, {(node.topic, node.method): node for node in reversed(nodes)})
        self._parts = CastList(stage.manner.control)
        self._control: dict[str, list[Process]] = {}
        self._turns: dict[str, int] = {}
        self._computes: dict[str, Process] = {}

    @property
    def connections(self) -> int:
        """Opened so far."""
        return self._plug.opened

    def processes(self) -> Iterator[Process]:
        """All that run."""
        for group in self._control.values():
            yield from group
        yield from self._computes.values()

    async def start(self, hosts: Iterable[str], progress: Progress | None = None) -> None:
        """Start all. Raises BrokerError when one does not come up."""
        control = [self._process(part) for part in self._parts.control_plane()]
        for process in control:
            self._control.setdefault(process.role, []).append(process)
        await self._plug.declare(control[0], *self._exchanges())
        computes = [self._process(self._parts.compute(host)) for host in hosts]
        self._computes = {process.host: process for process in computes}
        await self._start([*control, *computes], progress)

    async def add(self, host: str) -> None:
        """Start the compute of a host; nothing when it runs."""
        if host not in self._computes:
            process = self._computes[host] = self._process(self._parts.compute(host))
            await self._start([process], None)

    async def remove(self, host: str, *, cleanly: bool) -> None:
        """End the compute of a host; nothing when there is none."""
        process = self._computes.pop(host, None)
        if process is None:
            return
        if cleanly:
            await self._plug.stop(process)
        self._kill(process)

    def has(self, host: str) -> bool:
        """Its compute runs."""
        return host in self._computes

    def sender(self, node: Node, hosts: Mapping[str, str]) -> Process | None:
        """The process that sends a root: of a compute that of its host, of the others each in turn."""
        role = node.step.sender
        if role == "compute":
            return self._computes.get(hosts.get(node.step.sender_host or SOURCE, ""))
        group = self._control.get(role) or self._control["api"]
        turn = self._turns[role] = self._turns.get(role, -1) + 1
        return group[turn % len(group)]

    async def close(self) -> None:
        """Drop all connections."""
        for process in list(self.processes()):
            process.die()
        self._computes.clear()
        await asyncio.sleep(0)

    def _kill(self, process: Process) -> None:
        stage = self._stage
        stage.leave(process)
        process.die()
        for rpc in [rpc for rpc in stage.on_the_way.values() if rpc.node.topic in process.topics]:
            if rpc.node.is_fanout:
                rpc.left -= 1
            elif rpc.host != process.host or rpc.is_waiting:
                continue  # somebody else takes it, or its caller gives up
            if rpc.left <= 0 or not rpc.node.is_fanout:
                del stage.on_the_way[rpc.unique_id]
                rpc.lose()

    def _process(self, part: Part) -> Process:
        process = Process(self._stage, self._plug, part.role, part.program, part.host, part.topics)
        process.source = part.source
        return process

    async def _start(self, processes: Sequence[Process], progress: Progress | None) -> None:
        """Some at a time: the tasks of thousands would leave their memory behind."""
        waiting, done = iter(processes), itertools.count(1)

        async def start() -> None:
            for process in waiting:
                await self._plug.start(process)
                if progress is not None:
                    progress(next(done), len(processes))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(STARTED_AT_ONCE, len(processes))):
                    group.create_task(start())
        except* Exception as errors:
            first = _first(errors)
            raise (explained(first) if isinstance(first, BrokerError) else first) from None

    def _exchanges(self) -> tuple[list[str], list[str]]:
        control = {node.exchange for node in self._nodes if not node.is_fanout} | {CONTROL_EXCHANGE}
        return sorted(control), sorted({node.topic for node in self._nodes if node.is_fanout})


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
