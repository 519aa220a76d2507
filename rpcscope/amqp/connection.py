"""A connection with its one channel."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from typing import Any

from pamqp.commands import Basic, Confirm, Exchange, Queue

from rpcscope.amqp.garbage import Garbage
from rpcscope.amqp.handler import Handler
from rpcscope.amqp.scanner import Delivery, Returned
from rpcscope.amqp.session import Session
from rpcscope.amqp.where import Where
from rpcscope.errors import BrokerError

_ACK = b"\x01\x00\x01\x00\x00\x00\x0d\x00\x3c\x00\x50"  # a method frame of channel 1, 13 bytes, basic.ack
_ack = struct.Struct(">11sQBB").pack
_END = 0xCE
Arguments = Mapping[str, Any]


class Connection(Session):
    """What `connect` returns; used from its event loop alone. Each method that waits raises BrokerError at the end."""

    __slots__ = ("_consumers", "_handler", "_published")

    def __init__(self, connected: socket.socket, where: Where, name: str) -> None:
        super().__init__(connected, where, name)
        self._handler: Handler | None = None  # before the handshake is over, and after the end, nobody is told
        self._consumers = 0
        self._published = -1  # confirms due so far; -1 when the broker was not asked for them

    async def exchange_declare(
        self,
        name: str,
        kind: str = "topic",
        *,
        durable: bool = False,
        auto_delete: bool = False,
        arguments: Arguments | None = None,
    ) -> None:
        """Make an exchange, or find that it is so already."""
        await self.ask(
            Exchange.Declare(
                exchange=name,
                exchange_type=kind,
                durable=durable,
                auto_delete=auto_delete,
                arguments=dict(arguments or {}),
            )
        )

    async def queue_declare(
        self,
        name: str = "",
        *,
        durable: bool = False,
        exclusive: bool = False,
        auto_delete: bool = False,
        passive: bool = False,
        arguments: Arguments | None = None,
    ) -> tuple[str, int, int]:
        """Make a queue, or find that it is so already; its name, messages ready, consumers.

        Without a name the broker makes one. `passive`: only look.
        """
        made = await self.ask(
            Queue.Declare(
                queue=name,
                passive=passive,
                durable=durable,
                exclusive=exclusive,
                auto_delete=auto_delete,
                arguments=dict(arguments or {}),
            )
        )
        return made.queue, made.message_count, made.consumer_count

    async def queue_bind(
        self, queue: str, exchange: str, routing_key: str = "", arguments: Arguments | None = None
    ) -> None:
        """Let an exchange give a queue what has this routing key."""
        await self.ask(
            Queue.Bind(queue=queue, exchange=exchange, routing_key=routing_key, arguments=dict(arguments or {}))
        )

    async def queue_delete(self, name: str) -> int:
        """Delete a queue, in use or not; how many messages were ready in it."""
        return int((await self.ask(Queue.Delete(queue=name))).message_count)

    async def confirm_select(self) -> None:
        """From now on `publish` counts, and `Handler.on_confirm` is told."""
        self.check_open()
        self._published = max(0, self._published)  # what is published before the answer comes is confirmed too
        await self.ask(Confirm.Select())

    async def qos(self, prefetch: int) -> None:
        """At most so many messages without an ack for each consumer begun after this; 0: any number."""
        await self.ask(Basic.Qos(prefetch_count=prefetch))

    async def consume(self, queue: str, *, no_ack: bool = False, arguments: Arguments | None = None) -> int:
        """Begin to consume; the consumer's number (1, 2, ...), which is its tag at the broker too.

        Its first deliveries may be told before this returns.
        """
        self._consumers += 1
        number = self._consumers
        await self.ask(
            Basic.Consume(queue=queue, consumer_tag=str(number), no_ack=no_ack, arguments=dict(arguments or {}))
        )
        return number

    async def cancel(self, consumer: int) -> None:
        """End a consumer. Its deliveries may still be told until this returns."""
        await self.ask(Basic.Cancel(consumer_tag=str(consumer)))

    def publish(self, frames: bytes | bytearray) -> int:
        """Send a Publish's frames; the tag of its confirm, 0 before `confirm_select`.

        The frames are the connection's from now on. Raises BrokerError when it is closed.
        """
        if self._error is not None:
            raise self._error.with_traceback(None)
        self._link.send(frames)
        if self._published < 0:
            return 0
        self._published += 1
        return self._published

    def ack(self, tag: int, multiple: bool = False) -> None:
        """Acknowledge a delivery. Nothing happens when closed: the broker has put the message back."""
        if self._error is None:
            self._link.send(_ack(_ACK, tag, multiple, _END))

    def tell(self, handler: Handler) -> None:
        """From now on this handler is told."""
        self._handler = handler
        if self.blocked:
            handler.on_blocked(self, True)

    def delivered(self, delivery: Delivery, properties: bytes, body: bytes) -> None:
        """See Session."""
        tag, number, redelivered, exchange, routing_key = delivery
        consumer = tag[0] - 48 if len(tag) == 1 else _number(tag)
        if not 0 < consumer <= self._consumers:
            raise Garbage("a delivery to no consumer")
        if self._error is None and self._handler is not None:
            self._handler.on_delivery(self, consumer, number, exchange, routing_key, redelivered, properties, body)

    def returned(self, returned: Returned, body: bytes) -> None:
        """See Session."""
        if self._error is None and self._handler is not None:
            self._handler.on_return(self, *returned, body)

    def confirmed(self, tag: int, multiple: bool, ack: bool) -> None:
        """See Session."""
        if not 0 < tag <= self._published:
            raise Garbage("a confirm of nothing")
        if self._error is None and self._handler is not None:
            self._handler.on_confirm(self, tag, multiple, ack)

    def blocking(self, blocked: bool) -> None:
        """See Session."""
        if self._handler is not None:
            self._handler.on_blocked(self, blocked)

    def ended(self, error: BrokerError | None) -> None:
        """See Session."""
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.on_closed(self, error)


def _number(tag: bytes) -> int:
    return int(tag) if tag.isdigit() and len(tag) < 9 else 0
