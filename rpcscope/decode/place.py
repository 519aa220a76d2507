"""Where on the bus an event was traced: what its three names say, looked up once for each three."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rpcscope import safe
from rpcscope.model import Event, MessageKind

TAP_QUEUE = "rpcscope.tap."
_TO_TAP = f"deliver.{TAP_QUEUE}"
_FANOUT = "_fanout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Exchange and queue of an event, and whom its routing key addresses. Every string is safe."""

    event: Event | None  # None: the broker traced something else
    exchange: str  # "" is the default exchange
    queue: str  # of a delivery
    is_tap: bool  # a tap's own marker, or a copy that went to a tap
    addressed: tuple[tuple[MessageKind, str, str], ...]  # by kind of its content: its kind here, topic and server


@lru_cache(65536)
def place(traced: str, exchange_name: str, routing_key: str) -> Place:
    """The place of an event.

    Args:
        traced: routing key of the trace message: publish.<exchange> or deliver.<queue>.
    """
    event, queue = _event(traced)
    exchange = safe.name(exchange_name)
    return Place(
        event=event,
        exchange=exchange,
        queue=queue,
        is_tap=traced.startswith(_TO_TAP) or (exchange == "" and routing_key.startswith(TAP_QUEUE)),
        addressed=tuple(_address(kind, exchange, routing_key) for kind in MessageKind),
    )


def _event(traced: str) -> tuple[Event | None, str]:
    event, _, queue = traced.partition(".")
    if event == "publish":
        return Event.PUBLISH, ""
    return (Event.DELIVER, safe.name(queue)) if event == "deliver" else (None, "")


def _address(kind: MessageKind, exchange: str, routing_key: str) -> tuple[MessageKind, str, str]:
    """Kind, topic and server of a message with content of that kind."""
    if kind is MessageKind.CAST and exchange.endswith(_FANOUT):
        return MessageKind.FANOUT, exchange.removesuffix(_FANOUT), ""
    if kind is MessageKind.REQUEST or kind is MessageKind.CAST:
        return kind, *_topic(routing_key)
    return kind, safe.name(routing_key) if kind is MessageKind.NOTIFICATION else "", ""


def _topic(routing_key: str) -> tuple[str, str]:
    """Topic and server of a routing key `<topic>.<server>`.

    A neutron object topic ends in a version (neutron-vo-Port-1.5), so its dots are its own.
    """
    if routing_key.startswith("neutron-vo-"):
        return safe.name(routing_key), ""
    topic, _, server = routing_key.partition(".")
    return safe.name(topic), safe.name(server)
