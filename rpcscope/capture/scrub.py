"""Observations that hold what decode takes from them, and nothing else.

An event is decoded, and a minimal event is written from what came out. So nothing that decode does
not know can get through, whatever field it hides in, and decoding the scrubbed event gives the same
message again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rpcscope import safe
from rpcscope.capture import rebuilt
from rpcscope.capture.pseudonyms import Pseudonyms
from rpcscope.capture.topology import safe_topology
from rpcscope.decode import Decoder
from rpcscope.decode.message import MARKER_HEADER, TAP_QUEUE, TRACE_EXCHANGE
from rpcscope.errors import DecodeError
from rpcscope.model import Event, Inside, Marker, Observation, Sighting, Topology
from rpcscope.rules import Rules


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
        if isinstance(seen, Inside):
            return self._pseudonyms.inside(seen) if self._pseudonyms else seen
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
        routing_key = rebuilt.routing_key(seen.headers.get("routing_keys"), message)
        routed = rebuilt.routed_queues(seen.headers.get("routed_queues"))
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
            headers=rebuilt.headers_of(message, routing_key, routed, labels, rebuilt.small_properties(seen.headers)),
            body=rebuilt.body_of(message, enveloped=b'"oslo.message"' in seen.body),
            size=seen.size,
            redelivered=seen.redelivered,
            seq=seen.seq,
        )


def _marker(seen: Observation, marker: Marker) -> Observation:
    if seen.exchange != TRACE_EXCHANGE:
        headers: dict[str, Any] = {MARKER_HEADER: marker.number, "sent-ns": marker.sent_ns}
        return replace(seen, exchange="", routing_key=TAP_QUEUE, headers=headers, body=b"")
    headers = {"exchange_name": "", "routing_keys": [TAP_QUEUE]}
    event = "deliver" if seen.routing_key.startswith("deliver") else "publish"
    return replace(seen, routing_key=f"{event}.", headers=headers, body=b"")
