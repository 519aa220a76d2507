"""What comes and goes on a broker, by the plugin rabbitmq_event_exchange: queues, connections, consumers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pika.exceptions import AMQPChannelError, AMQPError

from rpcscope.errors import BrokerError, RpcscopeError
from rpcscope.model import Churn, ChurnEvent
from rpcscope_collectors.amqp import connect, refusal
from rpcscope_collectors.transport import Broker
from rpcscope_collectors.worker import Worker

EVENTS = "amq.rabbitmq.event"
_KINDS = {
    "queue.created": Churn.QUEUE_CREATED,
    "queue.deleted": Churn.QUEUE_DELETED,
    "connection.created": Churn.CONNECTION_CREATED,
    "connection.closed": Churn.CONNECTION_CLOSED,
    "consumer.created": Churn.CONSUMER_CREATED,
    "consumer.deleted": Churn.CONSUMER_DELETED,
}
_LIMIT = 10_000  # events that the broker keeps for us; the oldest go first
_LATEST_MS = 4_102_444_800_000  # the year 2100
_TURN_S = 0.1
_PAUSE_S = 5.0
_log = logging.getLogger(__name__)


class ChurnTap:
    """Hands on events of one vhost from a thread of its own. No failure ends it; what it misses is not made up for."""

    def __init__(
        self,
        broker: Broker,
        *,
        events_vhost: str = "/",
        retry_s: float = _PAUSE_S,
        hand_on: Callable[[ChurnEvent], None],
    ) -> None:
        """Nothing is connected yet.

        The exchange is in one vhost for all (`event_exchange.vhost` of the broker, mostly "/"), where the account
        needs to configure, write and read `amq.gen-*`, and to read `amq.rabbitmq.event`.
        """
        self._vhost, self._hand_on, self._retry_s = broker.vhost, hand_on, retry_s
        self._broker = replace(broker, vhost=events_vhost)
        self._told = False
        self.ready = threading.Event()  # it is bound: from now on it sees everything
        self._worker = Worker("churn", self._step)

    def start(self) -> None:
        """Begin."""
        self._worker.start()

    def stop(self) -> None:
        """End, and let the broker delete the queue."""
        self._worker.stop()

    def _step(self) -> float:
        try:
            self._consume()
        except RpcscopeError as error:
            if not self._told:
                self._told = True
                _log.warning("%s", error)
        except (AMQPError, OSError):
            _log.debug("The connection for events is gone; it is made again.")
        self.ready.clear()
        return self._retry_s

    def _consume(self) -> None:
        connection = connect(self._broker, "events")
        try:
            self._bind(connection.channel())
            self._told = False
            self.ready.set()
            while not self._worker.is_ended:
                connection.process_data_events(time_limit=_TURN_S)
        finally:
            if connection.is_open:
                connection.close()

    def _bind(self, channel: Any) -> None:
        limits = {"x-max-length": _LIMIT, "x-overflow": "drop-head"}
        try:
            queue = channel.queue_declare("", exclusive=True, auto_delete=True, arguments=limits).method.queue
            for key in _KINDS:
                channel.queue_bind(queue, EVENTS, key)
            # Not acknowledged: what is lost with a connection is not worth holding the broker's memory for.
            channel.basic_consume(queue, self._take, auto_ack=True)
        except AMQPChannelError as error:
            if getattr(error, "reply_code", 0) == 404:
                raise BrokerError(
                    "The broker does not tell what comes and goes: enable its plugin rabbitmq_event_exchange."
                ) from error
            rights = f"events need configure, write and read on amq.gen-*, and read on {EVENTS}"
            raise refusal(error, self._broker.username, rights) from error

    def _take(self, _: object, method: Any, properties: Any, __: bytes) -> None:
        event = event_of(method.routing_key, properties.headers or {})
        if event is not None and event.vhost in (self._vhost, ""):
            self._hand_on(event)


def event_of(routing_key: str, headers: Mapping[str, Any]) -> ChurnEvent | None:
    """The event of a message; None for one of no interest. Source: run on RabbitMQ 3.10.8.

    `connection.closed` names no vhost.
    """
    kind = _KINDS.get(routing_key)
    if kind is None:
        return None
    is_queue = kind in (Churn.QUEUE_CREATED, Churn.QUEUE_DELETED)
    is_connection = kind in (Churn.CONNECTION_CREATED, Churn.CONNECTION_CLOSED)
    return ChurnEvent(
        at_ns=_time(headers),
        event=kind,
        vhost=_text(headers, "vhost"),
        queue=_text(headers, "name" if is_queue else "queue"),
        connection=_text(headers, "name") if is_connection else "",
        client_name=_text(headers, "user_provided_name") if is_connection else "",
    )


def _time(headers: Mapping[str, Any]) -> int:
    at_ms = headers.get("timestamp_in_ms")
    return at_ms * 1_000_000 if isinstance(at_ms, int) and 0 < at_ms < _LATEST_MS else time.time_ns()


def _text(headers: Mapping[str, Any], key: str) -> str:
    value = headers.get(key)
    return value if isinstance(value, str) else ""
