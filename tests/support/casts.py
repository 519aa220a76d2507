"""Casts of chosen methods to a queue, as nova's services publish them, and who takes them."""

from __future__ import annotations

import uuid
from contextlib import closing
from typing import Any

import pika

from tests.support.rabbitmq import Cloud
from tests.support.wire import enveloped

METHODS = ("build_and_run_instance", "terminate_instance", "reboot_instance")


def declare(channel: Any, queue: str, **arguments: Any) -> None:
    """A queue as oslo.messaging has it: bound to nova's exchange by its own name."""
    channel.exchange_declare("nova", "topic")
    channel.queue_declare(queue, durable=True, arguments=arguments or None)
    channel.queue_bind(queue, "nova", queue)


def body(method: str, request_id: str, **more: Any) -> bytes:
    inner = {"method": method, "args": {}, "version": "6.0", "_unique_id": uuid.uuid4().hex}
    return enveloped(inner | {"_context_request_id": request_id} | more)


def request_id() -> str:
    return f"req-{uuid.uuid4()}"


def cast(cloud: Cloud, queue: str, messages: list[bytes], *, timeout_ms: int | None = None) -> None:
    """Each is in the queue when this returns."""
    with closing(cloud.connect("nova-conductor:7:test")) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        properties = pika.BasicProperties(expiration=None if timeout_ms is None else str(timeout_ms))
        for message in messages:
            channel.basic_publish("nova", queue, message, properties, mandatory=True)


def drained(cloud: Cloud, queue: str) -> list[tuple[bytes, bool]]:
    """All that lies in the queue, in its order, taken from it: body, and whether it is marked redelivered."""
    with closing(cloud.connect("nova-compute:8:test")) as connection:
        channel, taken = connection.channel(), list[tuple[bytes, bool]]()
        while True:
            method, _, content = channel.basic_get(queue, auto_ack=True)
            if method is None:
                return taken
            taken.append((content, method.redelivered))
