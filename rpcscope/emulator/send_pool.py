"""The connections that a process publishes with, as oslo.messaging's pool: the last one put back is taken first.

A publish holds its connection until the broker has confirmed it. When all are held and there may be no more, it waits.
Source: oslo_messaging/_drivers/pool.py; impl_rabbit.py :: Connection.__init__ (confirm_publish).
"""

from __future__ import annotations

import contextlib
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable
from typing import Protocol

from rpcscope.amqp import Connection
from rpcscope.emulator.quiet import Failed, Quiet
from rpcscope.errors import BrokerError

MIN_SIZE = 2  # conn_pool_min_size
TTL_S = 1200.0  # conn_pool_ttl


class Outgoing(Protocol):
    """Who publishes."""

    def on_sent(self, arrived: bool) -> None:
        """The broker has it; not `arrived`: it gave it back, because no queue would get it."""


class SendPool(Quiet):
    """The pool of one process."""

    __slots__ = ("_count", "_grow", "_held", "_idle", "_limit", "_loop", "_returned", "_waiting")

    def __init__(self, loop: AbstractEventLoop, limit: int, grow: Callable[[SendPool], None], failed: Failed) -> None:
        """At most `limit` connections; `grow` opens another one and hands it to `add`."""
        super().__init__(failed)
        self._loop, self._limit, self._grow = loop, limit, grow
        self._count = 0
        self._idle: list[tuple[float, Connection]] = []
        self._held: dict[Connection, Outgoing] = {}
        self._returned: Connection | None = None  # a publish over it came back, and is confirmed next
        # Most processes never need a deque.
        self._waiting: deque[tuple[bytes | bytearray, Outgoing]] | tuple[()] = ()

    @property
    def waiting(self) -> int:
        """Publishes that have no connection yet."""
        return len(self._waiting)

    def publish(self, frames: bytes | bytearray, outgoing: Outgoing) -> None:
        """Send as soon as a connection is free; `outgoing` is told when it is confirmed."""
        if self._idle:
            self._send(self._idle.pop()[1], frames, outgoing)
            return
        if not self._waiting:
            self._waiting = deque()
        self._waiting.append((frames, outgoing))
        if self._count < self._limit:
            self._count += 1
            self._grow(self)

    def adopt(self, connection: Connection) -> None:
        """A connection that was opened before there was anything to publish."""
        self._count += 1
        self.add(connection)

    def add(self, connection: Connection) -> None:
        """A connection that `grow` opened."""
        if self._waiting:
            self._send(connection, *self._waiting.popleft())
        else:
            self._rest(connection)

    def on_confirm(self, connection: Connection, tag: int, multiple: bool, ack: bool) -> None:
        """Its connection is free again."""
        outgoing = self._held.pop(connection, None)
        self.add(connection)
        if outgoing is None:
            return
        if self._returned is connection:
            self._returned, ack = None, False
        outgoing.on_sent(ack)

    def on_return(self, connection: Connection, reply_code: int, routing_key: bytes, body: bytes) -> None:
        """No queue would get it; the confirm comes next."""
        self._returned = connection

    def drop(self) -> tuple[list[Outgoing], list[Outgoing]]:
        """All connections are gone: whose publishes were not confirmed, and whose were not even sent."""
        held, waiting = list(self._held.values()), [outgoing for _, outgoing in self._waiting]
        self._held.clear()
        self._idle.clear()
        self._waiting = ()
        return held, waiting

    def _send(self, connection: Connection, frames: bytes | bytearray, outgoing: Outgoing) -> None:
        self._held[connection] = outgoing
        with contextlib.suppress(BrokerError):  # it is closed, and `on_closed` has told why
            connection.publish(frames)

    def _rest(self, connection: Connection) -> None:
        now = self._loop.time()
        self._idle.append((now, connection))
        if len(self._idle) > MIN_SIZE and now - self._idle[0][0] > TTL_S:
            self._count -= 1
            self._idle.pop(0)[1].abort()
