"""Exchanges and queues as oslo.messaging declares them.

`classic` is its default, which RabbitMQ 4.3 refuses; `quorum+stream` is rabbit_quorum_queue,
rabbit_transient_quorum_queue and rabbit_stream_fanout. Source: oslo_messaging/_drivers/impl_rabbit.py ::
_get_queue_arguments, declare_topic_consumer, declare_fanout_consumer, declare_direct_consumer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from rpcscope.amqp import Connection
from rpcscope.emulator.ids import Ids

_EXPIRES = {"x-expires": 1_800_000}  # rabbit_transient_queues_ttl, ms
_QUORUM = {"x-queue-type": "quorum"}
_STREAM = {"x-queue-type": "stream", "x-max-age": "1800s"}
_PREFETCH = 100  # a stream's consumer needs one


class Profile:
    """How the queues of a cloud are made."""

    def __init__(self, name: str, ids: Ids) -> None:
        """`name` as in the fleet file: classic, quorum+stream."""
        self._ids = ids
        self.durable = name != "classic"
        self._topic: dict[str, Any] = dict(_QUORUM) if self.durable else {}
        self._reply = {**self._topic, **_EXPIRES}

    async def exchanges(self, connection: Connection, control: Sequence[str], fanouts: Sequence[str]) -> None:
        """Declare control exchanges, and those of fanouts to these topics."""
        asked = [connection.exchange_declare(name, "topic", durable=self.durable) for name in control]
        asked += [self._fanout_exchange(connection, topic) for topic in fanouts]
        await asyncio.gather(*asked)

    async def serve(self, connection: Connection, exchange: str, topic: str, server: str) -> str:
        """An RPC server's three queues: the topic's, the server's own, the fanout's, whose name is returned."""
        fanout = f"{topic}_fanout" if self.durable else f"{topic}_fanout_{self._ids.take().decode()}"
        shared = [topic, f"{topic}.{server}"]
        asked: list[Coroutine[Any, Any, Any]] = [self.prepare(connection)]
        asked.append(connection.exchange_declare(exchange, "topic", durable=self.durable))
        for queue in shared:
            asked.append(connection.queue_declare(queue, durable=self.durable, arguments=self._topic))
            asked.append(connection.queue_bind(queue, exchange, queue))
        asked.append(self._fanout_exchange(connection, topic))
        arguments = _STREAM if self.durable else _EXPIRES
        asked.append(connection.queue_declare(fanout, durable=self.durable, arguments=arguments))
        asked.append(connection.queue_bind(fanout, f"{topic}_fanout", ""))
        await asyncio.gather(*asked)
        # A consume is answered by its queue, not by the channel: after it the order of answers is not that of asking.
        offset = {"x-stream-offset": "next"} if self.durable else None
        await asyncio.gather(
            *(connection.consume(queue) for queue in shared), connection.consume(fanout, arguments=offset)
        )
        return fanout

    async def replies(self, connection: Connection) -> tuple[str, int]:
        """A reply queue, and the number of its consumer."""
        name = f"reply_{self._ids.take().decode()}"
        await asyncio.gather(
            self.prepare(connection), connection.queue_declare(name, durable=self.durable, arguments=self._reply)
        )
        return name, await connection.consume(name)

    async def prepare(self, connection: Connection) -> None:
        """Before the first consumer."""
        if self.durable:
            await connection.qos(_PREFETCH)

    async def _fanout_exchange(self, connection: Connection, topic: str) -> None:
        await connection.exchange_declare(f"{topic}_fanout", "fanout", durable=self.durable, auto_delete=True)
