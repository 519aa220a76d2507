"""Where on the bus an event was traced: what its three names say, looked up once for each three."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rpcscope import safe
from rpcscope.model import Event

_FANOUT = "_fanout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Exchange, queue and routing key of an event. Every string is safe."""

    event: Event | None  # None: the broker traced something else
    exchange: str  # "" is the default exchange
    queue: str  # of a delivery
    routing_key: str
    topic: str  # of a request or cast: the routing key without its server part
    server: str
    fanout_topic: str | None  # None: not a fanout exchange


@lru_cache(65536)
def place(traced: str, exchange_name: str, routing_key: str) -> Place:
    """The place of an event.

    Args:
        traced: routing key of the trace message: publish.<exchange> or deliver.<queue>.
    """
    event, queue = _event(traced)
    exchange = safe.name(exchange_name)
    topic, server = _topic(routing_key)
    return Place(
        event=event,
        exchange=exchange,
        queue=queue,
        routing_key=safe.name(routing_key),
        topic=topic,
        server=server,
        fanout_topic=exchange.removesuffix(_FANOUT) if exchange.endswith(_FANOUT) else None,
    )


def _event(traced: str) -> tuple[Event | None, str]:
    event, _, queue = traced.partition(".")
    if event == "publish":
        return Event.PUBLISH, ""
    return (Event.DELIVER, safe.name(queue)) if event == "deliver" else (None, "")


def _topic(routing_key: str) -> tuple[str, str]:
    """Topic and server of a routing key `<topic>.<server>`.

    A neutron object topic ends in a version (neutron-vo-Port-1.5), so its dots are its own.
    """
    if routing_key.startswith("neutron-vo-"):
        return safe.name(routing_key), ""
    topic, _, server = routing_key.partition(".")
    return safe.name(topic), safe.name(server)
