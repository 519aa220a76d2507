"""A lean AMQP 0-9-1 client: one asyncio process, many thousands of connections, a few microseconds a message.

    where = Where("127.0.0.1", 5672, "rpcscope-run", "user", "password")
    connection = await connect(where, name="nova-compute:1:emulated", handler=handler)
    await connection.queue_declare("reply_1", exclusive=True)
    number = await connection.consume("reply_1")
    message = Publish("nova", "conductor", properties, body)
    connection.publish(message.patched({offset: new_id}))

One connection has one channel. What arrives is told to its Handler in plain synchronous calls. Whatever ends it (the
broker closes connection or channel, cancels a consumer, sends garbage, falls silent; the socket is lost) ends it as a
whole: each waiting request raises the same BrokerError that `Handler.on_closed` is told, once. RPC methods may be
called at the same time (asyncio.gather): they go out together and are answered in order. They have no timeout of
their own: a broker that says nothing is found by heartbeats, a caller in a hurry uses asyncio.timeout.

What is written in one turn of the event loop goes out together, in order. What the kernel does not take stays in
memory: `unsent` tells how much, `drained` waits for it.
"""

from __future__ import annotations

from rpcscope.amqp.connection import Connection
from rpcscope.amqp.handler import Handler
from rpcscope.amqp.handshake import connect
from rpcscope.amqp.properties import decode_properties
from rpcscope.amqp.publish import Publish, publish_method
from rpcscope.amqp.refused import Refused
from rpcscope.amqp.where import Where

__all__ = ["Connection", "Handler", "Publish", "Refused", "Where", "connect", "decode_properties", "publish_method"]
