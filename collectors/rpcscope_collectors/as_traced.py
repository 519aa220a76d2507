"""A message as the firehose shows it, wherever the tap's queue got it: one format for all who read observations."""

from __future__ import annotations

from typing import Any

from rpcscope_collectors.tap_queue import FIREHOSE

_PROPERTIES = (
    *("content_type", "content_encoding", "delivery_mode", "priority", "correlation_id", "reply_to", "expiration"),
    *("message_id", "timestamp", "type", "user_id", "app_id"),
)


def as_traced(deliver: Any, properties: Any, vhost: str) -> tuple[str, str, dict[str, Any]]:
    """Exchange, routing key and headers of the observation of one message that pika gives.

    A trace message and a marker are what they are. A message of a service becomes a publish event, without what
    only the broker can tell: connection, channel, user, node, and the queues it was routed to.
    """
    headers = properties.headers or {}
    if deliver.exchange in ("", FIREHOSE):
        return deliver.exchange, deliver.routing_key, headers
    kept = {name: value for name in _PROPERTIES if (value := getattr(properties, name)) is not None}
    traced = {
        "exchange_name": deliver.exchange,
        "routing_keys": [deliver.routing_key],
        "properties": {**kept, "headers": headers},
        "vhost": vhost,
        "node": "",
    }
    return FIREHOSE, f"publish.{deliver.exchange}", traced
