"""A user of the AMQP core for tests: it keeps all it is told, and the test waits until it has been."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

from rpcscope.amqp import Connection
from rpcscope.errors import BrokerError

T = TypeVar("T")
PATIENCE_S = 60.0
Told = list[tuple[Any, ...]]


class Delivered(NamedTuple):
    consumer: int
    tag: int
    exchange: bytes
    routing_key: bytes
    redelivered: bool
    properties: bytes
    body: bytes


class Ear:
    """A Handler. `acks`: acknowledge each delivery."""

    def __init__(self, acks: bool = False) -> None:
        self.acks = acks
        self.deliveries: list[Delivered] = []
        self.confirms: list[tuple[int, bool, bool]] = []
        self.returns: list[tuple[int, bytes, bytes]] = []
        self.blocked: list[bool] = []
        self.ends: list[BrokerError | None] = []
        self._new = asyncio.Event()

    def on_delivery(self, connection: Connection, *told: Any) -> None:
        self.deliveries.append(Delivered(*told))
        if self.acks:
            connection.ack(self.deliveries[-1].tag)
        self._new.set()

    def on_confirm(self, connection: Connection, tag: int, multiple: bool, ack: bool) -> None:
        self.confirms.append((tag, multiple, ack))
        self._new.set()

    def on_return(self, connection: Connection, reply_code: int, routing_key: bytes, body: bytes) -> None:
        self.returns.append((reply_code, routing_key, body))
        self._new.set()

    def on_blocked(self, connection: Connection, blocked: bool) -> None:
        self.blocked.append(blocked)
        self._new.set()

    def on_closed(self, connection: Connection, error: BrokerError | None) -> None:
        self.ends.append(error)
        self._new.set()

    async def until(self, heard: Callable[[Ear], bool]) -> None:
        """Wait for what is due."""
        async with asyncio.timeout(PATIENCE_S):
            while not heard(self):
                self._new.clear()
                await self._new.wait()

    async def end(self) -> BrokerError | None:
        """Wait for the connection's end: why."""
        await self.until(lambda ear: bool(ear.ends))
        return self.ends[-1]


class Notes:
    """A Sink that writes down what a Scanner tells it."""

    def __init__(self) -> None:
        self.told: Told = []

    def delivered(self, *told: Any) -> None:
        self.told.append(("delivered", *told))

    def returned(self, *told: Any) -> None:
        self.told.append(("returned", *told))

    def confirmed(self, *told: Any) -> None:
        self.told.append(("confirmed", *told))

    def method(self, *told: Any) -> None:
        self.told.append(("method", *told))


def run(test: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine; what the loop's exception handler gets fails the test."""
    faults: list[dict[str, Any]] = []

    async def watched() -> T:
        asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
        return await test

    found = asyncio.run(watched())
    assert not faults, faults
    return found
