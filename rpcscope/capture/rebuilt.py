"""The parts of a minimal event, written from its message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from rpcscope import safe
from rpcscope.decode import progress
from rpcscope.model import RPCS, Clock, Event, Message, MessageKind, Notice


def routing_key(keys: object, message: Message) -> str:
    """Topic and server, each of them safe; also where decode does not look at them."""
    first = keys[0] if isinstance(keys, (list, tuple)) and keys else ""
    if not isinstance(first, str):
        return ""
    if message.kind is MessageKind.NOTIFICATION or first.startswith("neutron-vo-"):
        return safe.name(first)
    topic, dot, server = first.partition(".")
    return f"{safe.name(topic)}{dot}{safe.name(server)}"


def routed_queues(queues: object) -> list[str] | None:
    """Names of the queues, as many as there were; None when the event does not list them."""
    return [safe.name(queue) for queue in queues] if isinstance(queues, (list, tuple)) else None


def small_properties(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Of the message's AMQP properties, the small numbers."""
    given = headers.get("properties")
    if not isinstance(given, dict):
        return {}
    return {
        key: given[key]
        for key in ("delivery_mode", "priority")
        if type(given.get(key)) is int and 0 <= given[key] < 256
    }


def headers_of(
    message: Message, routing_key: str, routed: list[str] | None, labels: dict[str, str], properties: dict[str, Any]
) -> dict[str, Any]:
    """Headers of the trace message. `properties` is added to."""
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


def body_of(message: Message, enveloped: bool) -> bytes:
    """A body that decodes to the message, in an envelope of format 2.0 or without one."""
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
        "_context_traceparent": f"00-{message.trace_id}-{message.span_id or safe.NO_SPAN}-01"
        if message.trace_id
        else "",
        "failure": orjson.dumps({"class": message.failure}).decode() if message.failure else "",
    }
    inner: dict[str, Any] = {key: value for key, value in optional.items() if value}
    if message.kind in RPCS:
        inner["method"] = method
    elif message.kind is MessageKind.NOTIFICATION:
        inner["event_type"] = method
        if message.notice is not None and message.notice.publisher:
            inner["publisher_id"] = message.notice.publisher
    else:
        inner["ending"] = message.kind is MessageKind.REPLY
    kept = _kept(message, owned.removesuffix(")"))
    if kept or message.kind in RPCS or message.notice is not None:  # where it is, the rules do not look for facts again
        inner["rpcscope"] = kept
    return inner


def _kept(message: Message, owned: str) -> dict[str, Any]:
    kept = {
        "object": owned,
        "instances": list(message.instances),
        "instance_host": message.instance_host,
        "facts": sorted(message.facts),
        "notice": _told(message.notice) if message.notice is not None else None,
        "progress": progress.kept(message.progress) if message.progress is not None else None,
    }
    return {key: value for key, value in kept.items() if value}


def _told(notice: Notice) -> dict[str, Any]:
    """All but the publisher, which is where a notification has it."""
    told = {
        "host": notice.host,
        "state": notice.state,
        "task_state": notice.task_state,
        "percent": notice.percent,
    }
    return {key: value for key, value in told.items() if value}
