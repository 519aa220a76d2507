"""A handler that does nothing with what it is told."""

from __future__ import annotations

import sys

from rpcscope.amqp import Connection
from rpcscope.errors import BrokerError


class Nobody:
    """It says when a connection ends by itself; what waits for it then ends the benchmark."""

    def on_delivery(
        self,
        connection: Connection,
        consumer: int,
        tag: int,
        exchange: bytes,
        routing_key: bytes,
        redelivered: bool,
        properties: bytes,
        body: bytes,
    ) -> None:
        pass

    def on_confirm(self, connection: Connection, tag: int, multiple: bool, ack: bool) -> None:
        pass

    def on_return(self, connection: Connection, reply_code: int, routing_key: bytes, body: bytes) -> None:
        pass

    def on_blocked(self, connection: Connection, blocked: bool) -> None:
        pass

    def on_closed(self, connection: Connection, error: BrokerError | None) -> None:
        if error is not None:
            print(error, file=sys.stderr)
