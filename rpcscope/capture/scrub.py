"""Observations that hold what decode takes from them, and nothing else.

An event is decoded, and a minimal event is written from what came out. So nothing that decode does
not know can get through, whatever field it hides in, and decoding the scrubbed event gives the same
message again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from rpcscope import safe
from rpcscope.capture.pseudonyms import Pseudonyms
from rpcscope.capture.topology import safe_topology
from rpcscope.decode import Decoder
from rpcscope.decode.message import MARKER_HEADER, TAP_QUEUE, TRACE_EXCHANGE
from rpcscope.errors import DecodeError
from rpcscope.model import RPCS, Clock, Event, Marker, Message, MessageKind, Observation, Sighting, Topology
from rpcscope.rules import Rules

_SPAN = "0000000000000001"  # a valid span id that says nothing


class Scrubber:
    """Scrubs with the facts of `rules`; with `pseudonyms`, names are replaced too.

    `dropped` counts the events that are no oslo.messaging messages: they have no scrubbed form.
    """

    def __init__(self, rules: Rules, pseudonyms: Pseudonyms | None = None) -> None:
        """The rules decide which facts of a request are kept."""
        self._decoder = Decoder(rules)
        self._pseudonyms = pseudonyms
        self.dropped = 0

    @property
    def pseudonymizes(self) -> bool:
        """Whether names are replaced."""
        return self._pseudonyms is not None

    def scrub(self, seen: Sighting) -> Sighting | None:
        """The sighting without what is not known to be safe; None when nothing is left of it."""
        if isinstance(seen, Observation):
            return self.observation(seen)
        if isinstance(seen, Topology):
            kept = safe_topology(seen)
            return self._pseudonyms.topology(kept) if self._pseudonyms else kept
        return replace(seen, note="")

    def observation(self, seen: Observation) -> Observation | None:
        """The event rebuilt from its message; None, and counted, when it does not decode."""
        try:
            message = self._decoder.decode(seen)
        except DecodeError:
            self.dropped += 1
            return None
        if isinstance(message, Marker):
            return _marker(seen, message)
        routing_key = _routing_key(seen.headers.get("routing_keys"), message)
        routed = _routed(seen.headers.get("routed_queues"))
        labels = {key: safe.name(seen.headers.get(key)) for key in ("node", "vhost")}
        if self._pseudonyms:
            message = self._pseudonyms.message(message)
            routing_key = self._pseudonyms.queue(routing_key)
            routed = [self._pseudonyms.queue(queue) for queue in routed] if routed is not None else None
            labels = {"node": self._pseudonyms.node(labels["node"]), "vhost": self._pseudonyms.vhost(labels["vhost"])}
        return Observation(
            at_ns=seen.at_ns,
            exchange=TRACE_EXCHANGE,
            routing_key=f"publish.{message.exchange}" if message.event is Event.PUBLISH else f"deliver.{message.queue}",
            headers=_headers(message, routing_key, routed, labels, _properties(seen.headers)),
            body=_body(message, enveloped=b'"oslo.message"' in seen.body),
            size=seen.size,
            redelivered=seen.redelivered,
            seq=seen.seq,
        )


def _routing_key(keys: object, message: Message) -> str:
    """Topic and server, each of them safe; also where decode does not look at them."""
    first = keys[0] if isinstance(keys, (list, tuple)) and keys else ""
    if not isinstance(first, str):
        return ""
    if message.kind is MessageKind.NOTIFICATION or first.startswith("neutron-vo-"):
        return safe.name(first)
    topic, dot, server = first.partition(".")
    return f"{safe.name(topic)}{dot}{safe.name(server)}"


def _routed(queues: object) -> list[str] | None:
    return [safe.name(queue) for queue in queues] if isinstance(queues, (list, tuple)) else None


def _properties(headers: Any) -> dict[str, Any]:
    """Of the message's AMQP properties, the small numbers."""
    given = headers.get("properties")
    if not isinstance(given, dict):
        return {}
    return {
        key: given[key]
        for key in ("delivery_mode", "priority")
        if type(given.get(key)) is int and 0 <= given[key] < 256
    }


def _headers(
    message: Message, routing_key: str, routed: list[str] | None, labels: dict[str, str], properties: dict[str, Any]
) -> dict[str, Any]:
    if message.expiration_ms is not None:
        properties["expiration"] = str(message.expiration_ms)
    if message.clock is Clock.BROKER:
        properties["headers"] = {"timestamp_in_ms": message.at_ns // 1_000_000}
    headers: dict[str, Any] = {
        "exchange_name": message.exchange,
        "routing_keys": [routing_key],
        "properties": properties,
        **labels,
        "connection": message.connection,
        "channel": message.channel,
    }
    if routed is not None:
        headers["routed_queues"] = routed
    if message.event is Event.DELIVER or message.broker_redelivered:
        headers["redelivered"] = int(message.broker_redelivered)
    return headers


def _body(message: Message, enveloped: bool) -> bytes:
    inner = _inner(message)
    if enveloped:
        inner = {"oslo.version": "2.0", "oslo.message": orjson.dumps(inner).decode()}
    return orjson.dumps(inner)


def _inner(message: Message) -> dict[str, Any]:
    """A minimal body. Keys that an empty value would not change are left out."""
    method, _, owned = message.method.partition("(")
    optional = {
        "namespace": message.namespace,
        "version": message.version,
        "_msg_id": message.msg_id,
        "_reply_q": message.reply_q,
        "_timeout": message.monitor_s,
        "_unique_id": message.unique_id,
        "_context_request_id": message.request_id,
        "_context_global_request_id": message.global_request_id,
        "_context_project_id": message.project_id,
        "_context_traceparent": f"00-{message.trace_id}-{_SPAN}-01" if message.trace_id else "",
        "failure": orjson.dumps({"class": message.failure}).decode() if message.failure else "",
    }
    inner: dict[str, Any] = {key: value for key, value in optional.items() if value}
    if message.kind in RPCS:
        inner["method"] = method
    elif message.kind is MessageKind.NOTIFICATION:
        inner["event_type"] = method
    else:
        inner["ending"] = message.kind is MessageKind.REPLY
    kept = _kept(message, owned.removesuffix(")"))
    if kept or message.kind in RPCS:  # where it is, the rules do not look for facts again
        inner["rpcscope"] = kept
    return inner


def _kept(message: Message, owned: str) -> dict[str, Any]:
    kept = {
        "object": owned,
        "instances": list(message.instances),
        "instance_host": message.instance_host,
        "facts": sorted(message.facts),
    }
    return {key: value for key, value in kept.items() if value}


def _marker(seen: Observation, marker: Marker) -> Observation:
    if seen.exchange != TRACE_EXCHANGE:
        headers: dict[str, Any] = {MARKER_HEADER: marker.number, "sent-ns": marker.sent_ns}
        return replace(seen, exchange="", routing_key=TAP_QUEUE, headers=headers, body=b"")
    headers = {"exchange_name": "", "routing_keys": [TAP_QUEUE]}
    event = "deliver" if seen.routing_key.startswith("deliver") else "publish"
    return replace(seen, routing_key=f"{event}.", headers=headers, body=b"")
