"""What a connection tells its user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rpcscope.amqp.connection import Connection
    from rpcscope.errors import BrokerError


class Handler(Protocol):
    """Plain synchronous calls, made while the socket is read; one object may serve many connections.

    They must not raise: what does anyway goes to the event loop's exception handler, and ends that connection. They may
    publish, acknowledge, abort. What they are given is theirs to keep.
    """

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
        """A message for the consumer of that number; `tag` is for `Connection.ack`.

        `properties` is the property list as it came, flags included: `decode_properties` reads it, a new Publish takes
        it as it is.
        """

    def on_confirm(self, connection: Connection, tag: int, multiple: bool, ack: bool) -> None:
        """The broker took (`ack`) or refused what `publish` returned this tag for; `multiple`: and all before it."""

    def on_return(self, connection: Connection, reply_code: int, routing_key: bytes, body: bytes) -> None:
        """A mandatory message that no queue got (312), before its confirm."""

    def on_blocked(self, connection: Connection, blocked: bool) -> None:
        """The broker takes no more publishes (memory, disk), or takes them again."""

    def on_closed(self, connection: Connection, error: BrokerError | None) -> None:
        """The end, told once; None when we asked for it (`close`, `abort`). Refused has the broker's code and text."""
