"""What all emulated processes share: the loop, chance, ids, and who is on the stage."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from rpcscope.amqp.publish import publish_method
from rpcscope.emulator.deadlines import Deadlines
from rpcscope.emulator.ids import Ids
from rpcscope.emulator.refusals import explained
from rpcscope.emulator.score import Manner
from rpcscope.emulator.tally import Tally
from rpcscope.errors import BrokerError

if TYPE_CHECKING:
    from rpcscope.emulator.process import Process
    from rpcscope.emulator.rpc import Rpc

_METHODS = 65536


class Stage:
    """One cloud's. Everything happens in its event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, manner: Manner, *, speed: float, seed: int) -> None:
        """`speed`: seconds of the world in a second of the wall's clock."""
        self.loop, self.manner, self.speed = loop, manner, speed
        self.rng = random.Random(seed)  # noqa: S311 - no secret
        self.ids = Ids(random.Random())  # noqa: S311 - ids of two runs must differ
        self.tally = Tally()
        self.deadlines = Deadlines(loop)
        self.on_the_way: dict[bytes, Rpc] = {}
        """By unique id: published by us for one of ours, and not taken by all who get it."""
        self.servers: dict[str, dict[Process, None]] = {}
        """Topic -> the processes that consume it."""
        self._homes: Counter[tuple[str, str]] = Counter()
        self.error: BrokerError | None = None
        self.ended: list[Callable[[BrokerError], None]] = []
        self._methods: dict[tuple[str, str, bool], bytes] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def method(self, exchange: str, routing_key: str, mandatory: bool = False) -> bytes:
        """The frame of a basic.publish."""
        key = (exchange, routing_key, mandatory)
        found = self._methods.get(key)
        if found is None:
            if len(self._methods) >= _METHODS:
                self._methods.clear()
            found = self._methods[key] = publish_method(exchange, routing_key, mandatory)
        return found

    def enter(self, process: Process) -> None:
        """It consumes its queues from now on."""
        for topic in process.topics:
            self.servers.setdefault(topic, {})[process] = None
            self._homes[topic, process.host] += 1

    def leave(self, process: Process) -> None:
        """It does not any more. Nothing when it never did."""
        for topic in process.topics:
            if process in self.servers.get(topic, {}):
                del self.servers[topic][process]
                self._homes[topic, process.host] -= 1

    def listeners(self, topic: str, host: str = "") -> int:
        """How many of our processes consume a topic; with a host: its own queue."""
        return self._homes[topic, host] if host else len(self.servers.get(topic, ()))

    def fail(self, error: BrokerError) -> None:
        """The emulation can not go on. The first error tells why; later ones follow from it."""
        if self.error is None:
            self.error = explained(error)
            for tell in self.ended:
                tell(self.error)

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run it beside everything else. A BrokerError of it ends the emulation."""
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    async def close(self) -> None:
        """End what was spawned."""
        self.deadlines.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, BrokerError):
                self.fail(error)
            else:
                self.loop.call_exception_handler({"message": "the emulation has a fault", "exception": error})
                self.fail(BrokerError("The emulation failed by a fault of its own: report what stands above."))
