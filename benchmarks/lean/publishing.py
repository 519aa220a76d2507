"""Ways to publish the same messages: each patched with an id of its own, into a queue that keeps the last hundred."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

import pika

from benchmarks.lean import raw
from benchmarks.lean.handler import Nobody
from rpcscope.amqp import Publish, Where, connect

QUEUE = "lean-sink"
CONNECTIONS = 32
_AT = 20
_ids = [uuid.uuid4().hex.encode() for _ in range(1000)]


def message(size: int) -> Publish:
    """What is published, of so many bytes of body."""
    return Publish("", QUEUE, None, bytes(size))


def raw_single(where: Where, size: int, count: int) -> float:
    """A blocking socket, one message a write."""
    made, patched = raw.opened(where), message(size).patched
    with made:
        began = time.process_time()
        for number in range(count):
            made.sendall(patched({_AT: _ids[number % 1000]}))
        return time.process_time() - began


def raw_spread(where: Where, size: int, count: int) -> float:
    """32 blocking sockets in turn, one message a write."""
    made, patched = [raw.opened(where) for _ in range(CONNECTIONS)], message(size).patched
    began = time.process_time()
    for number in range(0, count, CONNECTIONS):
        for each, one in enumerate(made):
            one.sendall(patched({_AT: _ids[(number + each) % 1000]}))
    used = time.process_time() - began
    for one in made:
        one.close()
    return used


def raw_joined(where: Where, size: int, count: int) -> float:
    """A blocking socket, 32 messages a write."""
    made, patched = raw.opened(where), message(size).patched
    with made:
        began = time.process_time()
        for number in range(0, count, 32):
            made.sendall(b"".join([patched({_AT: _ids[(number + each) % 1000]}) for each in range(32)]))
        return time.process_time() - began


def ours_spread(where: Where, size: int, count: int) -> float:
    """The core, 32 connections that publish one message each a turn of the loop, as emulated processes do."""

    async def publish() -> float:
        handler, patched = Nobody(), message(size).patched
        connections = [await connect(where, name=f"lean-{each}", handler=handler) for each in range(CONNECTIONS)]
        publishers = [each.publish for each in connections]
        began = time.process_time()
        for number in range(0, count, CONNECTIONS):
            for each, publisher in enumerate(publishers):
                publisher(patched({_AT: _ids[(number + each) % 1000]}))
            await asyncio.sleep(0)
            if any(each.unsent > 1 << 20 for each in connections[:: CONNECTIONS // 4]):
                await asyncio.gather(*(each.drained() for each in connections))
        await asyncio.gather(*(each.drained() for each in connections))
        used = time.process_time() - began
        await asyncio.gather(*(each.close() for each in connections))
        return used

    return asyncio.run(publish())


def ours_joined(where: Where, size: int, count: int) -> float:
    """The core, one connection that publishes 32 messages a turn."""

    async def publish() -> float:
        connection, patched = await connect(where, name="lean", handler=Nobody()), message(size).patched
        began = time.process_time()
        for number in range(0, count, 32):
            for each in range(32):
                connection.publish(patched({_AT: _ids[(number + each) % 1000]}))
            await connection.drained()
        used = time.process_time() - began
        await connection.close()
        return used

    return asyncio.run(publish())


def pikas(where: Where, size: int, count: int) -> float:
    """pika's BlockingConnection, the body patched."""
    credentials = pika.PlainCredentials(where.username, where.password)
    connection = pika.BlockingConnection(pika.ConnectionParameters(where.host, where.port, credentials=credentials))
    channel, body = connection.channel(), bytearray(size)
    began = time.process_time()
    for number in range(count):
        body[_AT : _AT + 32] = _ids[number % 1000]
        channel.basic_publish("", QUEUE, bytes(body))
    used = time.process_time() - began
    connection.close()
    return used


WAYS: dict[str, Callable[[Where, int, int], float]] = {
    "raw socket, 32 a write": raw_joined,
    "32 raw sockets, 1 a write": raw_spread,
    "raw socket, 1 a write": raw_single,
    "rpcscope.amqp, 32 connections, 1 each a turn": ours_spread,
    "rpcscope.amqp, 1 connection, 32 a turn": ours_joined,
    "pika": pikas,
}
"""CPU seconds of this process for publishing `count` messages of `size` bytes."""


def sink(where: Where) -> None:
    """Make the queue."""

    async def declare() -> None:
        connection = await connect(where, name="lean", handler=Nobody())
        await connection.queue_declare(QUEUE, arguments={"x-max-length": 100})
        await connection.close()

    made: Coroutine[Any, Any, None] = declare()
    asyncio.run(made)
