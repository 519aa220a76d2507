"""What a message was sent to and what it asks for, in OpenTelemetry's words.

Source: its semantic conventions 1.44 for RabbitMQ (messaging.destination.name) and for RPC (rpc.method).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rpcscope.model import Call, MessageKind

_FANOUT = "_fanout"
_KEPT = 4_096
"""Destinations that are remembered: a cloud of a thousand hosts has some thousand."""


class Destination(NamedTuple):
    """Where a message goes."""

    name: str  # exchange:routing key, or the one of them that there is
    template: str  # the same with the host's name folded; "" when nothing of it is a host's own
    routing_key: str  # "" of a fanout


def destination(call: Call) -> Destination:
    """Of a call, cast, fanout or notification."""
    return _destination(call.kind is MessageKind.FANOUT, call.exchange, call.topic, call.server)


def full_method(call: Call) -> str:
    """The fully qualified method: `compute/build_and_run_instance`, `conductor.compute_task/build_instances`.

    oslo.messaging knows an interface by its topic and namespace. Of a notification it is the event's type alone.
    """
    if call.kind is MessageKind.NOTIFICATION:
        return call.method
    return _full_method(call.topic, call.namespace, call.method)


@lru_cache(_KEPT)
def _full_method(topic: str, namespace: str, method: str) -> str:
    interface = ".".join(part for part in (topic, namespace) if part)
    return f"{interface}/{method}" if interface else method


@lru_cache(_KEPT)
def _destination(is_fanout: bool, exchange: str, topic: str, server: str) -> Destination:
    if is_fanout:
        folded = exchange.endswith(_FANOUT)
        return Destination(exchange or topic, f"{{topic}}{_FANOUT}" if folded else "", "")
    key = f"{topic}.{server}" if server else topic
    template = _joined(exchange, f"{topic}.{{host}}") if server else ""
    return Destination(_joined(exchange, key), template, key)


def _joined(exchange: str, key: str) -> str:
    return f"{exchange}:{key}" if exchange and key else exchange or key
