"""Ways to take the same messages, each acknowledged by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pika
from pamqp.commands import Basic

from benchmarks.lean.handler import Nobody
from rpcscope.amqp import Connection, Publish, Where, connect

CONNECTIONS = 32
PREFETCH = 100
_QUEUES = tuple(f"lean-{number}" for number in range(CONNECTIONS))
_PROPERTIES = Basic.Properties(content_type="application/json", delivery_mode=2, priority=0, headers={})


class Taker(Nobody):
    """It acknowledges each delivery, and says when the last has come."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.done = asyncio.Event()

    def on_delivery(self, connection: Connection, consumer: int, tag: int, *_: Any) -> None:
        connection.ack(tag)
        self.left -= 1
        if not self.left:
            self.done.set()


async def fill(where: Where, size: int, queues: dict[str, int]) -> None:
    """So many messages into each queue, made when it is not there; returns when the broker has them."""
    connection = await connect(where, name="lean", handler=Nobody())
    for queue, count in queues.items():
        await connection.queue_declare(queue)
        frames = Publish("", queue, _PROPERTIES, bytes(size)).frames()
        for number in range(count):
            connection.publish(frames)
            if number % 100 == 0:
                await connection.drained()
        while (await connection.queue_declare(queue, passive=True))[1] < count:
            await asyncio.sleep(0.05)
    await connection.close()


async def _take(where: Where, size: int, queues: dict[str, int]) -> float:
    await fill(where, size, queues)
    taker = Taker(sum(queues.values()))
    connections = [await connect(where, name=queue, handler=taker) for queue in queues]
    began = time.process_time()
    for connection, queue in zip(connections, queues, strict=True):
        await connection.qos(PREFETCH)
        await connection.consume(queue)
    await taker.done.wait()
    used = time.process_time() - began
    await asyncio.gather(*(each.close() for each in connections))
    return used


def ours(where: Where, size: int, count: int) -> float:
    """The core, one connection."""
    return asyncio.run(_take(where, size, {_QUEUES[0]: count}))


def ours_spread(where: Where, size: int, count: int) -> float:
    """The core, 32 connections with a queue each."""
    return asyncio.run(_take(where, size, dict.fromkeys(_QUEUES, count // CONNECTIONS)))


def pikas(where: Where, size: int, count: int) -> float:
    """pika's BlockingConnection."""
    asyncio.run(fill(where, size, {_QUEUES[0]: count}))
    credentials = pika.PlainCredentials(where.username, where.password)
    connection = pika.BlockingConnection(pika.ConnectionParameters(where.host, where.port, credentials=credentials))
    channel, left = connection.channel(), count

    def take(channel: Any, method: Any, _properties: Any, _body: bytes) -> None:
        nonlocal left
        channel.basic_ack(method.delivery_tag)
        left -= 1
        if not left:
            channel.stop_consuming()

    began = time.process_time()
    channel.basic_qos(prefetch_count=PREFETCH)
    channel.basic_consume(_QUEUES[0], take)
    channel.start_consuming()
    used = time.process_time() - began
    connection.close()
    return used


WAYS: dict[str, Callable[[Where, int, int], float]] = {
    "rpcscope.amqp, 1 connection": ours,
    "rpcscope.amqp, 32 connections": ours_spread,
    "pika": pikas,
}
"""CPU seconds of this process for taking `count` messages of `size` bytes."""
