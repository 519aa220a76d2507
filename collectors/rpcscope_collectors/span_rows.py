"""A span of oslo.messaging's own tracing becomes what its process told: rows as lines of a capture hold them.

    PRODUCER `conductor.object_action`: the client's side, from before it is sent until the reply is back (a cast:
                                        until the broker has it)
    CONSUMER `object_action receive`:   the server's side, from when a thread begins until the reply is sent

Each side gives two rows, one for its beginning and one for its end, so that a reader gets them in the order of time.
Source: oslo_messaging/_tracing/client.py of 18.3.1. The request's own span is the parent of the CONSUMER, and it is the
one that travels in the message, so that is how the sides and what other taps saw of the message meet.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from rpcscope_collectors.span import Span

SOURCE = "otlp"
_of_call = re.compile(r"[0-9a-f]{32}").fullmatch
_CLIENTS, _SERVERS = ("PRODUCER", "CLIENT"), ("CONSUMER", "SERVER")
_OSLO = ("", "oslo.messaging", "oslo_messaging", "rabbitmq")
_REMOTE = "_Remote"
_OF_SENDING = ("oslo_messaging.exceptions.", "oslo_messaging._drivers.", "kombu.", "amqp.")
"""Modules whose exceptions say that a request did not get through; all others were raised by its server."""
_TIMEOUT = "MessagingTimeout"


class Told(NamedTuple):
    """A row, and the time that it tells."""

    when_ns: int
    row: dict[str, Any]


def is_rpc(span: Span) -> bool:
    """Whether it is one side of an RPC of oslo.messaging."""
    if not span.text("rpc.method") or span.kind not in (*_CLIENTS, *_SERVERS):
        return False
    system = span.text("rpc.system") or span.text("rpc.system.name") or span.text("messaging.system")
    return system in _OSLO and (bool(system) or span.scope in _OSLO[1:])


def rows(span: Span, parent_span_id: str) -> tuple[Told, Told]:
    """What its process told when it began, and when it ended.

    Args:
        parent_span_id: of the RPC that it is a part of, where spans of something else are between them.
    """
    said = _said(span, parent_span_id)
    began, ended = ("sent_ns", _client_end(said)) if said["side"] == "CLIENT" else ("started_ns", _server_end(said))
    return (
        Told(span.started_ns, {**said, began: span.started_ns}),
        Told(span.ended_ns, {**said, ended: span.ended_ns, **_outcome(span, said)}),
    )


def _said(span: Span, parent_span_id: str) -> dict[str, Any]:
    client = span.kind in _CLIENTS
    message_id = span.text("messaging.message.id")
    said: dict[str, Any] = {
        "source": SOURCE,
        "side": "CLIENT" if client else "SERVER",
        "kind": _kind(span, client, message_id),
        "program": span.origin.service,
        "pid": span.origin.pid,
        "host": span.origin.host,
        "instance": span.origin.instance,
        "method": span.text("rpc.method"),
        "namespace": span.text("rpc.service"),
        "topic": span.text("messaging.destination.name"),
        "request_id": span.text("openstack.request_id"),
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": parent_span_id,
    }
    if not client and _of_call(message_id):
        said["msg_id"] = message_id
    return {key: value for key, value in said.items() if value or key in ("program", "pid", "host")}


def _kind(span: Span, client: bool, message_id: str) -> str:
    """A server is not told what it got; but a cast has no id, and oslo.messaging makes up one with dashes."""
    if client:
        return "REQUEST" if span.text("messaging.operation") == "call" else "CAST"
    return "REQUEST" if _of_call(message_id) else "CAST"


def _client_end(said: dict[str, Any]) -> str:
    return "taken_ns" if said["kind"] == "REQUEST" else "confirmed_ns"


def _server_end(said: dict[str, Any]) -> str:
    return "replied_ns" if said["kind"] == "REQUEST" else "ended_ns"


def _outcome(span: Span, said: dict[str, Any]) -> dict[str, Any]:
    """What the caller was given: a server's span ends well also when the method raised."""
    if said["side"] != "CLIENT":
        return {}
    failure = span.exception.rpartition(".")[2]
    if failure == _TIMEOUT:
        return {"outcome": "TIMED_OUT"} if said["kind"] == "REQUEST" else {"failure": failure}
    if span.failed or failure:
        known = {"failure": failure.removesuffix(_REMOTE)}
        return known if span.exception.startswith(_OF_SENDING) else {**known, "outcome": "FAILED"}
    return {"outcome": "OK"} if said["kind"] == "REQUEST" else {}
