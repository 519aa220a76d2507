"""Getting connected."""

from __future__ import annotations

from rpcscope.amqp.connection import Connection
from rpcscope.amqp.handler import Handler
from rpcscope.amqp.where import Where


async def connect(
    where: Where,
    *,
    name: str,
    handler: Handler,
    product: str = "rpcscope",
    heartbeat_s: int = 60,
    source: str | None = None,
    timeout_s: float = 10.0,
) -> Connection:
    """An open connection with its channel.

    `name` is the connection's name at the broker, `source` a local address to come from (127.x.y.z: each has ports of
    its own), `heartbeat_s` 0 for none. Raises BrokerError, one sentence: not reached, refused, no such vhost, no answer
    in `timeout_s`, out of file descriptors.
    """
    raise NotImplementedError
