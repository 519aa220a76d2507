"""What happened on a `Bus` played on real brokers: each service with connections of its own to each of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import Any

import pika

from rpcscope.model import Observation
from tests.support.bus import Bus, Service
from tests.support.rabbitmq import Cloud

GIVE_UP_S = 30.0


def play(bus: Bus, clouds: Sequence[Cloud], which: Callable[[int], Cloud]) -> None:
    """Every publish of the bus, in its order, on the broker that `which` says for the number of the publish.

    Each is consumed before the next.
    """
    with ExitStack() as stack:
        actors = [Actor(one, bus, cloud, stack) for cloud in clouds for one in bus.services]
        publishes = [event for event in bus.events if event.routing_key.startswith("publish.")]
        for number, event in enumerate(publishes):
            cloud = which(number)
            here = [actor for actor in actors if actor.cloud is cloud]
            copies = _copies(bus, event)
            before = sum(actor.taken for actor in here)
            next(actor for actor in here if event.headers["connection"] in actor.one.sends).publish(event)
            _until(here, before + copies)


class Actor:
    """A service on one broker: a connection that consumes, one that sends."""

    def __init__(self, one: Service, bus: Bus, cloud: Cloud, stack: ExitStack) -> None:
        self.one, self.cloud, self.taken = one, cloud, 0
        name = f"{one.program}:{one.pid}:{bus.uuid()}"
        self._listens, self._sends = (stack.enter_context(closing(cloud.connect(name))) for _ in range(2))
        self._channel = self._sends.channel()
        channel = self._listens.channel()
        queues = [one.reply_q, *([one.topic, one.fanout_q] if one.topic else [])]
        queues += [f"{one.topic}.{one.host}"] if one.host else []
        for exchange, kind in (("nova", "topic"), (f"{one.topic}_fanout", "fanout")):
            channel.exchange_declare(exchange, kind)
        for queue in queues:
            channel.queue_declare(queue)
            if queue == one.fanout_q:
                channel.queue_bind(queue, f"{one.topic}_fanout")
            elif queue != one.reply_q:
                channel.queue_bind(queue, "nova", queue)
            channel.basic_consume(queue, self._take, auto_ack=True)

    def publish(self, event: Observation) -> None:
        """As the service did."""
        given = event.headers["properties"]
        properties = pika.BasicProperties(delivery_mode=2, expiration=given.get("expiration"))
        (key,) = event.headers["routing_keys"]
        self._channel.basic_publish(event.headers["exchange_name"], key, event.body, properties)

    def listen(self) -> None:
        """Takes what has come."""
        self._listens.process_data_events(0)

    def _take(self, *_: Any) -> None:
        self.taken += 1


def _copies(bus: Bus, event: Observation) -> int:
    """Deliveries of the same message on the bus."""
    return sum(one.body == event.body and one.routing_key.startswith("deliver.") for one in bus.events)


def _until(actors: Sequence[Actor], taken: int) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while sum(actor.taken for actor in actors) < taken:
        assert time.monotonic() < deadline, "the broker did not deliver everything"
        for actor in actors:
            actor.listen()
