"""What a message says of itself, where oslo.messaging keeps it: its dictionary, its context, the broker's delivery."""

from __future__ import annotations

from typing import Any

from rpcscope_oslo_tap import told as words
from rpcscope_oslo_tap.args import described
from rpcscope_oslo_tap.told import Told

FANOUT_SUFFIX = "_fanout"
PLACE = "_rpcscope_place"
"""Where the fake driver's messages say exchange and routing key."""


def learn_ids(told: Told) -> None:
    """The driver puts its ids and the context into the dictionary that it was given."""
    message = told.message
    if message is None or told.unique_id:
        return
    get = message.get
    told.unique_id = get("_unique_id") or ""
    told.msg_id = get("_msg_id") or ""
    told.request_id = get("_context_request_id") or ""
    told.global_request_id = get("_context_global_request_id") or ""
    trace(told, get("_context_traceparent"), "span_id")


def describe(told: Told, message: Any) -> None:
    """What it asks for: method and what its arguments tell; of a notification its type."""
    get = message.get
    method = get("method")
    if method is None:
        told.method = get("event_type") or ""
        return
    told.namespace, told.version = get("namespace") or "", get("version") or ""
    told.method, told.instances, told.facts = described(method, get("args"))


def came_by(told: Told, message: Any) -> None:
    """Exchange, topic and server, as the broker's delivery says."""
    raw = getattr(message, "_raw_message", None)
    if raw is not None:
        told.request_bytes = len(raw.body)
        told.exchange, key = raw.delivery_info.get("exchange") or "", raw.delivery_info.get("routing_key") or ""
    else:
        told.exchange, key = message.get(PLACE) or ("", "")
    if told.exchange.endswith(FANOUT_SUFFIX) and not told.msg_id:
        told.kind = words.FANOUT
    address(told, key)


def address(told: Told, key: str) -> None:
    """Topic and server as rpcscope.decode reads them from a routing key."""
    if told.kind == words.FANOUT:
        told.topic = told.exchange[: -len(FANOUT_SUFFIX)]
    elif told.kind == words.NOTIFICATION or key.startswith("neutron-vo-"):  # its dots are those of a version
        told.topic, told.server = key, ""
    else:
        told.topic, _, told.server = key.partition(".")


def trace(told: Told, traceparent: Any, span: str) -> None:
    """Of a W3C traceparent: version-trace-span-flags."""
    if isinstance(traceparent, str):
        parts = traceparent.split("-")
        if len(parts) == 4:
            told.trace_id = parts[1]
            setattr(told, span, parts[2])


def body_size(message: Any) -> int | None:
    """Bytes of a message that was consumed; None in memory."""
    raw = getattr(message, "_raw_message", None)
    return None if raw is None else len(raw.body)
