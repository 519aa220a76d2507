"""An Observation of the firehose becomes a Message or a Marker.

    publish.<exchange>   headers: exchange_name, routing_keys, properties, connection, channel, routed_queues
    deliver.<queue>      the same without routed_queues, with redelivered; the connection is the consumer's

Source: rabbitmq-server, rabbit_trace.erl; oslo_messaging/_drivers/amqpdriver.py for the bodies.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from rpcscope import safe
from rpcscope.decode import args as arguments
from rpcscope.decode import notified
from rpcscope.decode.body import Inner, failure_class, open_body, parse
from rpcscope.decode.place import TAP_QUEUE as TAP_QUEUE
from rpcscope.decode.place import Place, place
from rpcscope.decode.progress import progress, progress_of
from rpcscope.errors import DecodeError
from rpcscope.model import PEEK_CHANNEL, Clock, Event, Marker, Message, MessageKind, Notice, Observation, Progress
from rpcscope.rules import Rules

TRACE_EXCHANGE = "amq.rabbitmq.trace"
MARKER_HEADER = "rpcscope-marker"
_MAX_INT = 1 << 63
_LAST_MS = 4_102_444_800_000  # the year 2100: later stamps, and a timeout added, would overflow 63 bits of ns
_NO_CLASS = safe.digest("a failure without a class")
# Looking a member up in its class takes 45 ns; each event needs some five of them.
_PUBLISH, _DELIVER, _BROKER, _TAP = Event.PUBLISH, Event.DELIVER, Clock.BROKER, Clock.TAP
_REQUEST, _CAST, _REPLY, _NOTIFICATION = (
    MessageKind.REQUEST, MessageKind.CAST, MessageKind.REPLY, MessageKind.NOTIFICATION
)  # fmt: skip
_NO_FACTS: frozenset[str] = frozenset()
_MEMO_BODIES = 256
_MEMO_BYTES = 65536


class Decoder:
    """Decodes observations with the facts of `rules`. Remembers the last bodies it opened, since a
    publish and its deliveries carry the same bytes."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._memo: dict[bytes, _Content] = {}

    def decode(self, seen: Observation) -> Message | Marker:
        """One sighting of a message, or a marker: what rpcscope itself sent, or looked at without taking it.

        Raises:
            DecodeError: it is not an oslo.messaging message; `reason` says why in fixed words.
        """
        if seen.exchange != TRACE_EXCHANGE:
            return _marker(seen)
        headers = seen.headers
        if type(headers) is not dict and not isinstance(headers, Mapping):
            raise DecodeError("no headers")
        where = place(seen.routing_key, _text(headers.get("exchange_name")), _first(headers.get("routing_keys")))
        if where.is_tap or (where.event is _DELIVER and headers.get("channel") == PEEK_CHANNEL):
            return Marker(number=0, sent_ns=0, at_ns=seen.at_ns)
        if where.event is None:
            raise DecodeError("neither publish nor deliver")
        return self._message(seen, where.event, where)

    def _message(self, seen: Observation, event: Event, where: Place) -> Message:
        content = self._content(seen.body)
        headers = seen.headers
        properties = headers.get("properties")
        if type(properties) is not dict:
            properties = {}
        stamp = _broker_stamp(properties) if event is _PUBLISH else None
        kind, topic, server = where.addressed[content.kind]
        channel = headers.get("channel")
        return Message(  # by position, in the order of its fields: thirty keywords would cost a microsecond
            event,
            kind,
            stamp or seen.at_ns,
            _BROKER if stamp else _TAP,
            seen.size,
            content.unique_id,
            safe.peer(headers.get("connection")),
            channel if type(channel) is int and 0 <= channel < 1 << 16 else 0,
            where.exchange,
            topic,
            server,
            where.queue,
            _routed(headers.get("routed_queues")),
            bool(headers.get("redelivered")),
            seen.redelivered,
            content.method,
            content.namespace,
            content.version,
            content.msg_id,
            content.reply_q,
            _milliseconds(properties.get("expiration")) if kind is _REQUEST else None,
            content.monitor_s,
            content.request_id,
            content.global_request_id,
            content.project_id,
            content.trace_id,
            content.instances,
            content.instance_host,
            content.facts,
            content.failure,
            content.span_id,
            content.notice,
            content.progress,
        )

    def _content(self, body: bytes) -> _Content:
        content = self._memo.get(body)
        if content is None:
            try:
                content = _Content(open_body(body), body, self._rules)
            except RecursionError as error:
                raise DecodeError("nested too deep") from error
            if len(body) <= _MEMO_BYTES:
                if len(self._memo) >= _MEMO_BODIES:
                    for old in list(itertools.islice(self._memo, _MEMO_BODIES // 2)):
                        del self._memo[old]
                self._memo[body] = content
        return content


class _Content:
    """What a body says, wherever it was seen."""

    __slots__ = (
        "facts", "failure", "global_request_id", "instance_host", "instances", "kind", "method", "monitor_s", "msg_id",
        "namespace", "notice", "progress", "project_id", "reply_q", "request_id", "span_id", "trace_id", "unique_id",
        "version",
    )  # fmt: skip

    def __init__(self, inner: Inner, body: bytes, rules: Rules) -> None:
        self.kind = _kind(inner)
        self.msg_id = safe.message_id(inner.msg_id)
        self.unique_id = safe.message_id(inner.unique_id) or _own_id(inner, body)
        self.request_id = safe.request_id(inner.request_id)
        self.global_request_id = safe.request_id(inner.global_request_id)
        self.project_id = safe.project(inner.project_id)
        self.trace_id = safe.trace_id(inner.traceparent)
        self.span_id = safe.span_id(inner.traceparent) if self.trace_id else ""
        self.namespace = safe.method(inner.namespace)
        self.version = safe.version(inner.version)
        self.reply_q = safe.name(inner.reply_q)
        self.monitor_s = inner.timeout if type(inner.timeout) is int and 0 < inner.timeout < 1 << 31 else None
        self.failure = _failure(inner.failure)
        self.method = safe.method(inner.method) or safe.method(inner.event_type)
        self.instances: tuple[str, ...] = ()
        self.instance_host = ""
        self.facts = _NO_FACTS
        self.notice: Notice | None = None
        self.progress: Progress | None = None
        if isinstance(inner.scrubbed, dict):
            self._from_scrubbed(inner.scrubbed, inner.publisher_id)
        elif self.kind < _REPLY:
            self._from_args(parse(inner.args), rules)
        elif self.kind is _NOTIFICATION:
            self._from_payload(parse(inner.payload), inner.publisher_id, rules)

    def _from_args(self, args: Any, rules: Rules) -> None:
        self.method = arguments.display_method(self.method, args)
        self.instances = arguments.instances(args)
        self.instance_host = arguments.instance_host(args)
        self.facts = rules.facts(self.method, args)
        if self.method in rules.progress:
            self.progress = progress(args, rules.progress[self.method])

    def _from_payload(self, payload: Any, publisher: object, rules: Rules) -> None:
        rule = rules.notices.of(self.method)
        self.instances = notified.servers(rule, payload)
        self.notice = notified.notice(rule, publisher, payload)
        self.failure = _failure({"class": said}) if (said := notified.failure(rule, payload)) else ""

    def _from_scrubbed(self, kept: dict[str, Any], publisher: object) -> None:
        """What rpcscope.capture.scrub kept, through the same sieve as everything else."""
        self.method = _scrubbed_method(self.method, kept.get("object"))
        self.instances = tuple(filter(None, map(safe.uuid, _texts(kept.get("instances")))))
        self.instance_host = safe.name(kept.get("instance_host"))
        self.facts = frozenset(filter(None, map(safe.fact, _texts(kept.get("facts")))))
        if self.kind is _NOTIFICATION:
            told = kept.get("notice")
            self.notice = notified.scrubbed(told if isinstance(told, dict) else {}, publisher)
        elif isinstance(kept.get("progress"), dict):
            self.progress = progress_of(kept["progress"])


def _kind(inner: Inner) -> MessageKind:
    has_id = isinstance(inner.msg_id, str) and inner.msg_id != ""
    if inner.method is not None:
        return _REQUEST if has_id else _CAST
    if inner.event_type is not None:
        return _NOTIFICATION
    if has_id:
        return MessageKind.HEARTBEAT if inner.ending is False else _REPLY
    raise DecodeError("not an oslo.messaging message")


def _failure(failure: object) -> str:
    """The class of a failure; a digest when it names none, since a failed call must not look answered."""
    return (safe.method(failure_class(failure)) or _NO_CLASS) if failure else ""


def _own_id(inner: Inner, body: bytes) -> str:
    """A v1 notification has no _unique_id: its message_id, else its bytes, tell it from others."""
    return safe.message_id(inner.message_id) or blake2b(body, digest_size=16).hexdigest()


def _scrubbed_method(method: str, owner: object) -> str:
    return f"{method}({safe.object_method(owner)})" if isinstance(owner, str) and owner else method


def _texts(value: object) -> list[Any]:
    return value[: arguments.MAX_INSTANCES] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _first(keys: object) -> str:
    return _text(keys[0]) if keys and isinstance(keys, (list, tuple)) else ""


def _routed(queues: object) -> int:
    """How many queues of the cloud took it: a tap's own is none of them."""
    if not isinstance(queues, (list, tuple)):
        return -1
    count = len(queues)
    for queue in queues:
        if type(queue) is str and queue.startswith(TAP_QUEUE):
            count -= 1
    return count


def _milliseconds(expiration: object) -> int | None:
    return _cached_milliseconds(expiration) if type(expiration) is str else None


@lru_cache(4096)
def _cached_milliseconds(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 13 else None


def _broker_stamp(properties: Mapping[str, Any]) -> int | None:
    """timestamp_in_ms of RabbitMQ's incoming interceptor (3.12 and later), in ns: the publish time."""
    headers = properties.get("headers")
    if not headers or not isinstance(headers, Mapping):
        return None
    stamp = headers.get("timestamp_in_ms")
    return stamp * 1_000_000 if type(stamp) is int and 0 < stamp < _LAST_MS else None


def _marker(seen: Observation) -> Marker:
    headers = seen.headers if isinstance(seen.headers, Mapping) else {}
    number, sent = headers.get(MARKER_HEADER), headers.get("sent-ns")
    if type(number) is not int or not 0 <= number < _MAX_INT:
        raise DecodeError("not from the firehose")
    return Marker(number=number, sent_ns=sent if type(sent) is int and 0 <= sent < _MAX_INT else 0, at_ns=seen.at_ns)
