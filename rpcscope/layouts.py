"""How a vhost is laid out, made safe and kept when it has changed: exchange -> binding -> queue -> process."""

from __future__ import annotations

from dataclasses import replace

from rpcscope import safe
from rpcscope.clients import client_of
from rpcscope.model import Binding, Exchange, Layout, QueueConsumer, Topology

_WILD = frozenset("*#")


class Layouts:
    """Puts what the queue tap and the topology poller see together. Not for several threads."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._seen: Layout | None = None
        self._topology: Topology | None = None
        self._consumers: tuple[QueueConsumer, ...] = ()
        self._told: Layout | None = None
        self._is_news = False  # since it was told

    def learn(self, topology: Topology) -> None:
        """Take a snapshot of who consumes what."""
        before, self._topology = self._topology, topology
        if before is None or (before.consumers, before.connections) != (topology.consumers, topology.connections):
            self._consumers = safe_consumers(topology)
            self._is_news = True

    def take(self, layout: Layout) -> None:
        """Take a snapshot of exchanges and bindings."""
        self._seen = safe_layout(layout)
        self._is_news = True

    def take_new(self) -> tuple[Layout, ...]:
        """The layout when it is another than the last time; its time is that of the newest snapshot in it."""
        if self._seen is None or not self._is_news:
            return ()
        self._is_news = False
        at_ns = max(self._seen.at_ns, self._topology.at_ns if self._topology is not None else 0)
        layout = replace(self._seen, at_ns=at_ns, consumers=self._consumers)
        if self._told is not None and replace(self._told, at_ns=at_ns) == layout:
            return ()
        self._told = layout
        return (layout,)


def safe_consumers(topology: Topology) -> tuple[QueueConsumer, ...]:
    """Which process consumes which queue, each pair once."""
    keys = {connection.name: client.key for connection in topology.connections if (client := client_of(connection))}
    found = {
        (safe.name(one.queue), keys.get(one.connection) or safe.peer(one.connection))
        for one in topology.consumers
        if one.connection
    }
    return tuple(QueueConsumer(queue=queue, process=process) for queue, process in sorted(found))


def safe_layout(layout: Layout) -> Layout:
    """The layout with names that may be stored, in an order that does not change. The vhost is the operator's."""
    exchanges = {(safe.name(one.name), safe.token(one.kind), one.durable) for one in layout.exchanges}
    bindings = {
        (safe.name(one.exchange), safe.name(one.destination), one.to_queue, safe_key(one.routing_key))
        for one in layout.bindings
    }
    return replace(
        layout,
        exchanges=tuple(Exchange(name=name, kind=kind, durable=durable) for name, kind, durable in sorted(exchanges)),
        bindings=tuple(
            Binding(exchange=exchange, destination=destination, to_queue=to_queue, routing_key=key)
            for exchange, destination, to_queue, key in sorted(bindings)
        ),
    )


def safe_key(key: str) -> str:
    """The routing key of a binding: names and wildcards by dots."""
    name = safe.name(key)
    if name == key:
        return key
    return ".".join(word if word in _WILD else safe.name(word) for word in key.split(".")[:64])
