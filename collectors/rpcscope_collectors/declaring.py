"""Queues as a tap makes them: not durable where the broker takes such queues, so that no body reaches its disk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pika.exceptions import AMQPChannelError

NOT_FOUND, OTHERWISE_MADE = 404, 406
_DURABLE_ALONE = (4, 3)
"""RabbitMQ takes no queue from here on that is neither durable nor exclusive."""
_OTHER_DURABILITY = "arg 'durable'"


def declare(connection: Any, name: str, arguments: Mapping[str, Any]) -> int | None:
    """Messages that waited in the queue; None when it is new.

    One that was made with the other durability is used as it is. Raises pika's AMQPChannelError.
    """
    found = waiting(connection, name)
    durable = _version(connection) >= _DURABLE_ALONE
    try:
        _declare(connection, name, arguments, durable=durable)
    except AMQPChannelError as error:
        if _OTHER_DURABILITY not in str(getattr(error, "reply_text", "")):
            raise
        _declare(connection, name, arguments, durable=not durable)
    return found


def waiting(connection: Any, name: str) -> int | None:
    """Messages that wait in a queue; None when there is no such queue. Raises pika's AMQPChannelError."""
    probe = connection.channel()
    try:
        found = int(probe.queue_declare(name, passive=True).method.message_count)
    except AMQPChannelError as error:
        if getattr(error, "reply_code", 0) != NOT_FOUND:
            raise
        return None
    probe.close()
    return found


def _declare(connection: Any, name: str, arguments: Mapping[str, Any], *, durable: bool) -> None:
    channel = connection.channel()
    channel.queue_declare(name, durable=durable, arguments=dict(arguments))
    channel.close()


def _version(connection: Any) -> tuple[int, int]:
    """As the broker says it; one that says nothing is taken for a new one."""
    said = (getattr(connection._impl, "server_properties", None) or {}).get("version", b"")
    text = said.decode("ascii", "replace") if isinstance(said, bytes) else str(said)
    numbers = re.match(r"(\d{1,6})\.(\d{1,6})", text)
    return (int(numbers[1]), int(numbers[2])) if numbers else _DURABLE_ALONE
