"""A connection with its one channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Connection:
    """What `connect` returns. Not for threads: used from its event loop alone."""

    __slots__ = ("frame_max", "name")

    name: str
    frame_max: int

    @property
    def blocked(self) -> bool:
        """The broker takes no publishes now."""
        raise NotImplementedError

    @property
    def is_closed(self) -> bool:
        """It is over, or about to be: nothing is sent any more."""
        raise NotImplementedError

    @property
    def unsent(self) -> int:
        """Bytes that the kernel has not taken yet."""
        raise NotImplementedError

    async def drained(self) -> None:
        """Wait until the kernel has taken all. Raises BrokerError when the connection ends before."""
        raise NotImplementedError

    async def exchange_declare(
        self,
        name: str,
        kind: str = "topic",
        *,
        durable: bool = False,
        auto_delete: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Make an exchange, or find that it is so already."""
        raise NotImplementedError

    async def queue_declare(
        self,
        name: str = "",
        *,
        durable: bool = False,
        exclusive: bool = False,
        auto_delete: bool = False,
        passive: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> tuple[str, int, int]:
        """Make a queue, or find that it is so already; its name, messages ready, consumers."""
        raise NotImplementedError

    async def queue_bind(self, queue: str, exchange: str, routing_key: str = "") -> None:
        """Bind a queue."""
        raise NotImplementedError

    async def queue_delete(self, name: str) -> int:
        """Delete a queue; how many messages were in it."""
        raise NotImplementedError

    async def confirm_select(self) -> None:
        """From now on `publish` counts, and `Handler.on_confirm` is told."""
        raise NotImplementedError

    async def qos(self, prefetch: int) -> None:
        """At most so many messages without an ack, per consumer begun after this; 0: any number."""
        raise NotImplementedError

    async def consume(self, queue: str, *, no_ack: bool = False, arguments: Mapping[str, Any] | None = None) -> int:
        """Begin to consume; the consumer's number (1, 2, ...), which is its tag at the broker too."""
        raise NotImplementedError

    async def cancel(self, consumer: int) -> None:
        """End a consumer. Deliveries may still come until this returns."""
        raise NotImplementedError

    def publish(self, frames: bytes | bytearray) -> int:
        """Send a Publish's frames; the confirm's tag, 0 before `confirm_select`. Raises BrokerError when closed."""
        raise NotImplementedError

    def ack(self, tag: int, multiple: bool = False) -> None:
        """Acknowledge a delivery. Nothing when closed: the broker has put the message back."""
        raise NotImplementedError

    async def close(self, timeout_s: float = 5.0) -> None:
        """Close in order, what was published first. Never raises; a broker that does not answer is left."""
        raise NotImplementedError

    def abort(self) -> None:
        """Drop the socket at once."""
        raise NotImplementedError
