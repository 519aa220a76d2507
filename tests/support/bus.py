"""A message bus that writes down what RabbitMQ's firehose would show: real bodies, no broker.

bus = Bus()
api, conductor = bus.service("gunicorn"), bus.service("nova-conductor", "conductor")
ping = bus.call(api, conductor, "ping", {"arg": "x"}, request_id=bus.request_id())
bus.reply(ping)
bus.events        observations, in the order in which they happened
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count
from typing import Any
from uuid import UUID

from rpcscope.decode.message import TRACE_EXCHANGE
from rpcscope.model import Connection, Consumer, Observation, Topology
from tests.support.wire import PROJECT, enveloped

START_NS = 1_795_163_788_000_000_000
SECOND = 1_000_000_000
BROKER = "10.0.0.1:5672"
Inner = dict[str, Any]


@dataclass(eq=False, kw_only=True)
class Service:
    """One process: a connection that listens, one that waits for replies, some that send."""

    program: str
    pid: int
    peer: str
    topic: str
    host: str
    listens: str
    waits: str
    sends: list[str]
    reply_q: str
    fanout_q: str
    turn: int = 0

    def sender(self) -> str:
        """The next of its sending connections."""
        self.turn += 1
        return self.sends[self.turn % len(self.sends)]


@dataclass(eq=False, kw_only=True)
class Rpc:
    """A call, cast, fanout or notification that was published."""

    inner: Inner
    exchange: str
    routing_key: str
    sender: Service
    to: Service | None
    expiration: str = ""
    published_ns: int = 0

    @property
    def unique_id(self) -> str:
        return str(self.inner["_unique_id"])


@dataclass
class Bus:
    """What happened so far. Each event is `step_ns` later than the one before."""

    step_ns: int = 200_000
    now_ns: int = START_NS
    events: list[Observation] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: count(1))

    # ------------------------------------------------------------ names

    def hex_id(self) -> str:
        return blake2b(str(next(self._numbers)).encode(), digest_size=16).hexdigest()

    def uuid(self) -> str:
        return str(UUID(self.hex_id()))

    def request_id(self) -> str:
        return f"req-{self.uuid()}"

    def service(self, program: str, topic: str = "", host: str = "", *, sends: int = 2, peer: str = "") -> Service:
        number = len(self.services) + 1
        address = peer or f"10.0.1.{number}"
        names = [f"{address}:{40000 + 10 * number + n} -> {BROKER}" for n in range(sends + 2)]
        found = Service(
            program=program,
            pid=1000 + number,
            peer=address,
            topic=topic,
            host=host,
            listens=names[0],
            waits=names[1],
            sends=names[2:],
            reply_q=f"reply_{self.hex_id()}",
            fanout_q=f"{topic}_fanout_{self.hex_id()}",
        )
        self.services.append(found)
        return found

    def topology(self, services: Sequence[Service] | None = None, *, at_ns: int = 0, complete: bool = True) -> Topology:
        """What the management API shows of some services, else of all."""
        connections, consumers = [], []
        for one in self.services if services is None else services:
            for name in (one.listens, one.waits, *one.sends):
                client = f"{one.program}:{one.pid}:{self.uuid()}"
                connections.append(Connection(name=name, client_name=client, peer_host=one.peer))
            consumers.append(Consumer(connection=one.waits, queue=one.reply_q))
            if one.topic:
                queues = [one.topic, one.fanout_q] + ([f"{one.topic}.{one.host}"] if one.host else [])
                consumers += [Consumer(connection=one.listens, queue=queue) for queue in queues]
        return Topology(at_ns=at_ns, connections=tuple(connections), consumers=tuple(consumers), complete=complete)

    def wait(self, seconds: float) -> None:
        self.now_ns += int(seconds * SECOND)

    # ------------------------------------------------------------ whole RPCs

    def call(
        self,
        sender: Service,
        to: Service | None,
        method: str,
        args: Inner | None = None,
        *,
        request_id: str = "",
        topic: str = "",
        server: str = "",
        timeout_ms: int | None = 60_000,
        monitor_s: int | None = None,
        taken: bool = True,
        routed: bool = True,
        **context: Any,
    ) -> Rpc:
        """Published by one, and `taken` from its queue by another."""
        inner = self._inner(method, args, request_id, context)
        inner |= {"_msg_id": self.hex_id(), "_reply_q": sender.reply_q, "_timeout": monitor_s}
        expiration = "" if timeout_ms is None else str(timeout_ms)
        return self._sent(inner, sender, to, topic, server, taken, routed, expiration)

    def cast(
        self,
        sender: Service,
        to: Service | None,
        method: str,
        args: Inner | None = None,
        *,
        request_id: str = "",
        topic: str = "",
        server: str = "",
        taken: bool = True,
        routed: bool = True,
        **context: Any,
    ) -> Rpc:
        """As a call, but nobody answers."""
        inner = self._inner(method, args, request_id, context)
        return self._sent(inner, sender, to, topic, server, taken, routed, "")

    def fanout(
        self, sender: Service, consumers: Sequence[Service], topic: str, method: str, *, request_id: str = ""
    ) -> Rpc:
        """One publish, a delivery for each consumer."""
        inner = self._inner(method, None, request_id, {})
        rpc = Rpc(inner=inner, exchange=f"{topic}_fanout", routing_key="", sender=sender, to=None)
        self.publish(rpc, queues=[one.fanout_q for one in consumers])
        for one in consumers:
            self.deliver(rpc, one, queue=one.fanout_q)
        return rpc

    def notify(
        self,
        sender: Service,
        event_type: str,
        request_id: str = "",
        instance: str = "",
        payload: Inner | None = None,
    ) -> Rpc:
        """A notification about a server, or with any other `payload`."""
        inner = {
            "message_id": self.uuid(),
            "publisher_id": f"{sender.topic}.{sender.host}",
            "event_type": event_type,
            "priority": "INFO",
            "payload": payload or {"nova_object.data": {"uuid": instance}},
            "_unique_id": self.hex_id(),
            "_context_request_id": request_id,
        }
        key = "versioned_notifications.info"
        rpc = Rpc(inner=inner, exchange="nova", routing_key=key, sender=sender, to=None)
        self.publish(rpc, queues=[key])
        return rpc

    def reply(self, rpc: Rpc, *, failure: str = "", by: Service | None = None, delivered: bool = True) -> Inner:
        """The reply that ends a call; its inner message."""
        return self._answer(rpc, failure, True, by, delivered)

    def heartbeat(self, rpc: Rpc, *, by: Service | None = None) -> Inner:
        """A reply that says only that the server is still at it."""
        return self._answer(rpc, "", False, by, True)

    # ------------------------------------------------------------ single events

    def publish(self, rpc: Rpc, *, queues: Sequence[str] | None = None, connection: str = "") -> Observation:
        rpc.published_ns = rpc.published_ns or self.now_ns
        routed = [rpc.routing_key] if queues is None else list(queues)
        key = [rpc.routing_key]
        name = f"publish.{rpc.exchange}"
        sender = connection or rpc.sender.sender()
        return self._event(name, rpc.inner, rpc.exchange, key, sender, rpc.expiration, routed_queues=routed)

    def deliver(
        self, rpc: Rpc, to: Service | None = None, *, queue: str = "", redelivered: bool = False
    ) -> Observation:
        to = to or rpc.to
        assert to is not None
        name = f"deliver.{queue or rpc.routing_key}"
        key = [rpc.routing_key]
        again = int(redelivered)
        return self._event(name, rpc.inner, rpc.exchange, key, to.listens, rpc.expiration, redelivered=again)

    def _answer(self, rpc: Rpc, failure: str, ending: bool, by: Service | None, delivered: bool) -> Inner:
        worker = by or rpc.to
        assert worker is not None
        body = json.dumps({"class": failure, "module": "m", "message": "PS7q", "tb": []}) if failure else None
        ids = {"_msg_id": rpc.inner["_msg_id"], "_unique_id": self.hex_id()}
        inner = {"result": None, "failure": body, "ending": ending, **ids}
        queue = rpc.inner["_reply_q"]
        self._event("publish.", inner, "", [queue], worker.sender(), "", routed_queues=[queue])
        if delivered:
            self.reply_delivered(rpc, inner)
        return inner

    def reply_delivered(self, rpc: Rpc, inner: Inner) -> Observation:
        queue = rpc.inner["_reply_q"]
        return self._event(f"deliver.{queue}", inner, "", [queue], rpc.sender.waits, "", redelivered=0)

    def _inner(self, method: str, args: Inner | None, request_id: str, context: Inner) -> Inner:
        inner = {"method": method, "args": args or {}, "version": "6.2", "_unique_id": self.hex_id()}
        inner |= {"_context_request_id": request_id, "_context_project_id": PROJECT, "_context_auth_token": "PS7q"}
        return inner | {f"_context_{key}": value for key, value in context.items()}

    def _sent(
        self,
        inner: Inner,
        sender: Service,
        to: Service | None,
        topic: str,
        server: str,
        taken: bool,
        routed: bool,
        expiration: str,
    ) -> Rpc:
        topic = topic or (to.topic if to else "")
        key = f"{topic}.{server}" if server else topic
        rpc = Rpc(inner=inner, exchange="nova", routing_key=key, sender=sender, to=to, expiration=expiration)
        self.publish(rpc, queues=None if routed else [])
        if to is not None and taken:
            self.deliver(rpc)
        return rpc

    def _event(
        self, name: str, inner: Inner, exchange: str, key: list[str], connection: str, expiration: str, **extra: Any
    ) -> Observation:
        properties: Inner = {"delivery_mode": 2, "headers": {}}
        if expiration:
            properties["expiration"] = expiration
        headers = {"exchange_name": exchange, "routing_keys": key, "properties": properties, "node": "rabbit@a",
                   "vhost": "/", "connection": connection, "channel": 1, "user": "nova", **extra}  # fmt: skip
        body = enveloped(inner)
        seen = Observation(
            at_ns=self.now_ns,
            exchange=TRACE_EXCHANGE,
            routing_key=name,
            headers=headers,
            body=body,
            size=len(body),
            seq=len(self.events) + 1,
        )
        self.events.append(seen)
        self.now_ns += self.step_ns
        return seen
