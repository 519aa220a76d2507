"""The services of a recorded cloud, in a process of their own: they send at a given rate and consume all of it.

Orders: `{"messages": 1000, "rate": 500}`. So many messages of the recordings are published, each when its time has come
by the clock, however slow the broker is; then, once all their copies were consumed, one cast more, the fence: whoever
has seen its delivery has seen everything before it.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import pika

from benchmarks.children.worker import obey
from benchmarks.traffic import Traffic
from rpcscope.decode import Decoder
from rpcscope.model import RPCS, Message, Observation
from rpcscope.rules import load_rules
from rpcscope_collectors.bindings import is_control
from tests.support.wire import enveloped

GIVE_UP_S = 120.0
TURN_S = 0.01
BURST = 100  # then it consumes, however late it is: a consumer that does not read is thrown out,
OWED = 1_000  # and what waits for too long expires
_SENDERS = ("nova-conductor", "nova-scheduler", "nova-compute", "gunicorn")


class Routes:
    """Exchanges and queues, declared and consumed as they are needed, and what came to them."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._channel = connection.channel()
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}
        self._queues: set[str] = set()
        self.copies: Counter[bool] = Counter()  # by whether mode control sees them

    def queues(self, exchange: str, key: str, routed: tuple[str, ...]) -> tuple[str, ...]:
        """Where a message will go; those queues are there and consumed."""
        place = (exchange, key)
        if place not in self._known:
            self._known[place] = routed or (key,)
            self._declare(exchange, key, self._known[place])
        return self._known[place]

    def take(self, seconds: float) -> None:
        """Consume what has come."""
        self._connection.process_data_events(seconds)

    def _declare(self, exchange: str, key: str, queues: tuple[str, ...]) -> None:
        if exchange:
            kind = "fanout" if exchange.endswith("_fanout") else "topic"
            self._channel.exchange_declare(exchange, kind)
        for queue in queues:
            if queue not in self._queues:
                self._queues.add(queue)
                self._channel.queue_declare(queue)
                self._channel.basic_consume(queue, self._counter(is_control(queue)), auto_ack=True)
            if exchange:
                self._channel.queue_bind(queue, exchange, key)

    def _counter(self, control: bool) -> Callable[..., None]:
        def count(*_: Any) -> None:
            self.copies[control] += 1

        return count


class Sender:
    """Sends the endless traffic of the recordings, some of it at each order."""

    def __init__(self, setup: dict[str, Any]) -> None:
        """Connects as four programs that send and one that consumes."""
        self._routes = Routes(_connect(setup, "nova-services"))
        self._senders = cycle([_connect(setup, program).channel() for program in _SENDERS])
        self._channels: dict[str, Any] = {}  # by the recorded connection
        self._events = _publishes(Traffic(setup["seed"]))
        self._decoder = Decoder(load_rules())
        self._sent: Counter[str] = Counter()

    def send(self, order: dict[str, Any]) -> dict[str, Any]:
        """So many messages at that rate, and the fence. The report has the totals of all orders so far."""
        began, sent, late = time.monotonic(), 0, 0.0
        while sent < order["messages"]:
            elapsed = time.monotonic() - began
            late = max(late, elapsed - sent / order["rate"])
            burst = min(int(elapsed * order["rate"]), order["messages"], sent + BURST) - sent
            for _ in range(burst):
                self._publish(next(self._events))
            sent += burst
            self._routes.take(0 if burst == BURST else TURN_S)
            self._settle(most=OWED)
        self._settle()
        took = time.monotonic() - began
        fence = self._fence()
        copies = self._routes.copies
        return {"fence": fence, "seconds": took, "late_s": late, "full_copies": copies.total(),
                "control_copies": copies[True], **self._sent}  # fmt: skip

    def _publish(self, event: Observation) -> None:
        headers = event.headers
        exchange, (key,) = headers["exchange_name"], headers["routing_keys"]
        queues = self._routes.queues(exchange, key, tuple(headers.get("routed_queues", ())))
        message = self._decoder.decode(event)
        assert isinstance(message, Message)
        properties = pika.BasicProperties(expiration=headers["properties"].get("expiration"), delivery_mode=2)
        self._channel(headers["connection"]).basic_publish(exchange, key, event.body, properties)
        self._sent.update(messages=1, copies=len(queues), rpcs=int(message.kind in RPCS))

    def _channel(self, connection: str) -> Any:
        if connection not in self._channels:
            self._channels[connection] = next(self._senders)
        return self._channels[connection]

    def _fence(self) -> str:
        request_id = f"req-{uuid.uuid4()}"
        cast = {"method": "fence", "args": {}, "version": "1.0", "_context_request_id": request_id}
        body = enveloped({**cast, "_unique_id": uuid.uuid4().hex})
        self._routes.queues("nova", "conductor", ("conductor",))
        next(self._senders).basic_publish("nova", "conductor", body)
        self._sent.update(messages=1, copies=1, rpcs=1)
        self._settle()
        return request_id

    def _settle(self, most: int = 0) -> None:
        """Consume until no more copies than `most` are still to come."""
        deadline = time.monotonic() + GIVE_UP_S
        while self._sent["copies"] - self._routes.copies.total() > most:
            if time.monotonic() > deadline:
                raise RuntimeError("The broker did not deliver everything.")
            self._routes.take(TURN_S)


def _publishes(traffic: Traffic) -> Iterator[Observation]:
    return (event for event in traffic.events if event.routing_key.startswith("publish."))


def _connect(setup: dict[str, Any], program: str) -> Any:
    # No heartbeats: the connections that only send are never read, and all end with the process.
    name = {"connection_name": f"{program}:1:{uuid.uuid4()}"}
    credentials = pika.PlainCredentials(setup["user"], setup["password"])
    return pika.BlockingConnection(
        pika.ConnectionParameters(
            "127.0.0.1", setup["port"], setup["vhost"], credentials, heartbeat=0, client_properties=name
        )
    )


if __name__ == "__main__":
    obey(lambda setup: Sender(setup).send)
