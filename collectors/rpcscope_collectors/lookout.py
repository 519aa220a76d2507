"""Looks whether the tap's queue dropped anything: the broker keeps the newest event that it did, in a queue beside it.

    rpcscope.tap.NAME --at a bound, or expired--> "" (default exchange) --> rpcscope.tap.NAME.dropped

It is taken and not acknowledged until what it proves is stored, so a recorder that dies before leaves it to the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from rpcscope_collectors.declaring import declare
from rpcscope_collectors.losses import Loss, Losses, Place
from rpcscope_collectors.tap_queue import DROPPED, Limits

FULL = "the tap's queue was full"
EXPIRED = "requests expired in the tap's queue"
_UNKNOWN = "the queue that keeps what the tap's dropped was gone"


class Lookout:
    """For the markers' thread alone, on its connection."""

    def __init__(
        self,
        queue: str,
        limits: Limits,
        losses: Losses,
        *,
        read_ns: Callable[[], int],
        reach: Callable[[], Place | None],
        on_found: Callable[[], None],
    ) -> None:
        """Tells `losses`, and calls `on_found`.

        `read_ns` is when the last marker was sent that came back; `reach` the last delivery that the broker may have
        under way.
        """
        self._queue, self._name, self._arguments = queue, queue + DROPPED, limits.of_dropped()
        self._losses, self._read_ns, self._reach = losses, read_ns, reach
        self._on_found = on_found
        self._kept: tuple[int, Loss] | None = None  # delivery tag, and what it proves

    def attach(self, connection: Any) -> None:
        """A new connection: what was kept on the old one lies in the queue again. Raises pika's AMQPError."""
        self._kept = None
        connection.channel().queue_declare(self._queue, passive=True)  # its reader makes both: not in its place
        if declare(connection, self._name, self._arguments) is None:
            self._found(_UNKNOWN)

    def look(self, channel: Any) -> None:
        """Look once. Raises pika's AMQPError."""
        self._losses.look(self._read_ns())
        self._let_go(channel)
        got, properties, _ = channel.basic_get(self._name)
        if got is None:
            return
        loss = self._found(_why(properties.headers or {}))
        if self._kept is not None:
            channel.basic_ack(self._kept[0])
        self._kept = int(got.delivery_tag), loss

    def _found(self, why: str) -> Loss:
        self._on_found()
        return self._losses.found(time.time_ns(), self._reach(), why)

    def _let_go(self, channel: Any) -> None:
        if self._kept is not None and self._kept[1].is_stored:
            channel.basic_ack(self._kept[0])
            self._kept = None


def _why(headers: Mapping[str, Any]) -> str:
    """What the broker says of the newest death; it is the first in its list."""
    deaths = headers.get("x-death")
    newest = deaths[0] if isinstance(deaths, list) and deaths else None
    return EXPIRED if isinstance(newest, dict) and newest.get("reason") == "expired" else FULL
