"""What every connection of the cloud does when its broker gives up on it."""

from __future__ import annotations

from collections.abc import Callable

from rpcscope.amqp import Connection
from rpcscope.errors import BrokerError

Failed = Callable[[BrokerError], None]


class Quiet:
    """A Handler that expects nothing, and says when the emulation can not go on."""

    __slots__ = ("_failed",)

    def __init__(self, failed: Failed) -> None:
        """`failed` is told what made it impossible."""
        self._failed = failed

    def on_delivery(
        self, connection: Connection, consumer: int, tag: int, exchange: bytes, routing_key: bytes,
        redelivered: bool, properties: bytes, body: bytes,
    ) -> None:  # fmt: skip
        """Nothing is consumed here."""

    def on_confirm(self, connection: Connection, tag: int, multiple: bool, ack: bool) -> None:
        """Nothing is published here."""

    def on_return(self, connection: Connection, reply_code: int, routing_key: bytes, body: bytes) -> None:
        """Nothing is published here."""

    def on_blocked(self, connection: Connection, blocked: bool) -> None:
        """A broker with an alarm takes nothing more."""
        if blocked:
            self._failed(
                BrokerError(
                    "The broker blocks publishers, because it is short of memory or disk space: give it more, "
                    "or emulate fewer hosts."
                )
            )

    def on_closed(self, connection: Connection, error: BrokerError | None) -> None:
        """What we did not close ourselves is missing now."""
        if error is not None:
            self._failed(error)
