"""The yardstick that an operator knows: what pika takes to consume the same events and to do nothing with them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pika

from rpcscope.model import Observation
from rpcscope.private_broker import PrivateBroker

QUEUE = "yardstick"
PREFETCH = 1000
ACK_EVERY = 250


class PikaYardstick:
    """A queue of a private broker, filled before each measurement; a child process that only consumes."""

    def __init__(self, broker: PrivateBroker) -> None:
        credentials = pika.PlainCredentials(broker.user, broker.password)
        self._parameters = pika.ConnectionParameters("127.0.0.1", broker.port, credentials=credentials)

    def measure(self, events: Iterable[Observation]) -> float:
        """CPU seconds of the consumer for all of the events."""
        count = self._publish(events)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
            return child.submit(consume, self._parameters, count).result()

    def _publish(self, events: Iterable[Observation]) -> int:
        count = 0
        connection = pika.BlockingConnection(self._parameters)
        channel = connection.channel()
        # Lazy: the broker keeps the events on its disk, so that its memory does not stop the publisher.
        channel.queue_declare(QUEUE, durable=True, arguments={"x-queue-mode": "lazy"})
        for count, seen in enumerate(events, 1):  # noqa: B007 - the last number is the count
            channel.basic_publish("", QUEUE, seen.body, pika.BasicProperties(headers=dict(seen.headers)))
        while channel.queue_declare(QUEUE, passive=True).method.message_count < count:
            connection.sleep(0.1)
        connection.close()
        return count


def consume(parameters: pika.ConnectionParameters, count: int) -> float:
    """CPU seconds of this process for taking `count` messages from the queue."""
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    channel.basic_qos(prefetch_count=PREFETCH)
    taken = 0

    def take(channel: Any, method: Any, _properties: Any, _body: bytes) -> None:
        nonlocal taken
        taken += 1
        if taken % ACK_EVERY == 0 or taken == count:
            channel.basic_ack(method.delivery_tag, multiple=True)
        if taken == count:
            channel.stop_consuming()

    began = time.process_time()
    channel.basic_consume(QUEUE, take)
    channel.start_consuming()
    cpu = time.process_time() - began
    connection.close()
    return cpu
