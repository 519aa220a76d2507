"""What a broker must not send."""

from __future__ import annotations

from rpcscope.errors import BrokerError


class Garbage(BrokerError):
    """Bytes that are not AMQP 0-9-1; nothing after them can be read. `what` are words of ours, never the bytes."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"What came from the broker is not AMQP 0-9-1 ({what}): check that host and port are RabbitMQ's."
        )
