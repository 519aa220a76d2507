"""The table of calls."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from rpcscope.export.files.column import Column, Table
from rpcscope.export.files.wanted import Wanted, operations
from rpcscope.model import Call, Flag
from rpcscope.query.calls import KIND_WORDS, Calls, CallView, merged
from rpcscope.query.times import between
from rpcscope.store.protocol import Reader

_AT_ONCE = 1_000


def _read(reader: Reader, wanted: Wanted) -> Iterator[CallView]:
    """By time; of some operations one operation after the other, what it made happen."""
    calls = Calls(reader)
    if wanted.is_filtered:
        for one in operations(reader, wanted):
            yield from (view for view in calls.of_operation(one.ids) if view.call.cause_id in one.ids)
        return
    stored = merged(lambda: reader.calls(since_ns=wanted.since_ns, until_ns=wanted.until_ns))
    while page := list(islice(stored, _AT_ONCE)):
        yield from calls.views(page)


def _flags(call: Call) -> list[str]:
    return [flag.name.lower() for flag in Flag if call.flags & flag and flag.name]


CALLS = Table(
    "calls",
    "A call, cast, fanout or notification, or a reply without its request.",
    (
        Column("unique_id", "text", "Of the message.", lambda v: v.call.unique_id),
        Column("parent_unique_id", "text", "Of the call whose handling caused it.",
               lambda v: v.call.parent_unique_id or None),
        Column("parent_source", "text", "How the parent is known: none, traceparent, inferred.",
               lambda v: v.call.parent_source.name.lower()),
        Column("request_id", "text", "That it carries.", lambda v: v.request_id or None),
        Column("operation_request_id", "text", "Of the operation that made it happen.",
               lambda v: v.operation_request_id or None),
        Column("kind", "text", "call, cast, fanout, notification, reply, heartbeat.",
               lambda v: KIND_WORDS[v.call.kind]),
        Column("method", "text", "Or the event type of a notification.", lambda v: v.call.method or None),
        Column("namespace", "text", "", lambda v: v.call.namespace or None),
        Column("version", "text", "", lambda v: v.call.version or None),
        Column("exchange", "text", "", lambda v: v.call.exchange or None),
        Column("topic", "text", "", lambda v: v.call.topic or None),
        Column("server", "text", "Server part of the routing key.", lambda v: v.call.server or None),
        Column("from_process", "text", "program:pid of the caller.", lambda v: v.sender.process or None),
        Column("from_host", "text", "Host of the caller.", lambda v: v.sender.host or None),
        Column("to_process", "text", "program:pid of the first that got it.", lambda v: v.worker.process or None),
        Column("to_host", "text", "Host of the first that got it, else the server.", lambda v: v.worker.host or None),
        Column("published_at", "time", "First publish.", lambda v: v.call.published_ns),
        Column("delivered_at", "time", "First delivery.", lambda v: v.call.delivered_ns),
        Column("replied_at", "time", "Publish of the reply that ends it.", lambda v: v.call.replied_ns),
        Column("reply_delivered_at", "time", "Delivery of that reply.", lambda v: v.call.reply_delivered_ns),
        Column("clock", "text", "Who stamped the publish: tap or broker.", lambda v: v.call.clock.name.lower()),
        Column("broker_wait_ns", "int", "ns from publish to delivery.", lambda v: v.broker_wait_ns),
        Column("server_ns", "int", "ns from delivery to the reply's publish.", lambda v: v.server_ns),
        Column("reply_wait_ns", "int", "ns from the reply's publish to its delivery.",
               lambda v: between(v.call.replied_ns, v.call.reply_delivered_ns)),
        Column("total_ns", "int", "ns from publish to the reply's publish.", lambda v: v.total_ns),
        Column("timeout_ms", "int", "ms that the caller waits.", lambda v: v.call.expiration_ms),
        Column("outcome", "text", "ok, failed, timed_out, unanswered, pending, unknown; none of casts.",
               lambda v: v.outcome_word or None),
        Column("failure", "text", "Class of the exception.", lambda v: v.call.failure or None),
        Column("flags", "texts", "What is remarkable: late_reply, redelivered, expected_failure, ...",
               lambda v: _flags(v.call)),
        Column("request_bytes", "int", "Bytes of its publishes.", lambda v: v.call.request_bytes),
        Column("reply_bytes", "int", "Bytes of its replies and heartbeats.",
               lambda v: None if v.reply_is_unseen else v.call.reply_bytes),
        Column("publishes", "int", "Of the request.", lambda v: v.call.publishes),
        Column("replies", "int", "", lambda v: None if v.reply_is_unseen else v.call.replies),
        Column("heartbeats", "int", "", lambda v: None if v.reply_is_unseen else v.call.heartbeats),
        Column("copies", "int", "Deliveries seen.", lambda v: None if v.deliveries_unseen else v.call.copies),
        Column("in_gap", "bool", "A tap was blind while it was open.", lambda v: bool(v.gaps)),
    ),
    _read,
)  # fmt: skip
