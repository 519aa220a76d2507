"""Spans as the bytes of an OTLP ExportTraceServiceRequest, grouped by resource.

Laid by hand, because the generated messages take several times the CPU (benchmarks/export.py): most attributes are
said again and again, and their bytes are remembered. What comes out is what the generated messages read:
tests/unit/export/traces/test_encode.py. Source of the field numbers: opentelemetry/proto/{collector/trace, trace,
common, resource}/v1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from struct import Struct

from rpcscope import __version__
from rpcscope.export.traces.span import Attribute, Link, Resource, Span, Value
from rpcscope.export.traces.wire import FIXED64, key, messages, nested, number, text, varint

SCHEMA = "https://opentelemetry.io/schemas/1.44.0"
_REMEMBERED = 20_000
"""Attributes whose bytes are kept, some 100 bytes each."""
_ERROR = 2
_LATEST = (1 << 63) - 1

_TRACE_ID = key(1) + varint(16)
_SPAN_ID = key(2) + varint(8)
_PARENT_ID = key(4) + varint(8)
_NAME, _KIND, _ATTRIBUTE, _LINK, _STATUS = key(5), 6, 9, 13, 15
_START, _END = key(7, FIXED64), key(8, FIXED64)
_times = Struct("<cQcQ").pack


class Encoder:
    """Makes requests. Not for several threads at once."""

    def __init__(self) -> None:
        self._known: dict[Attribute, bytes] = {}
        self._scope = nested(1, text(1, "rpcscope") + text(2, __version__))

    def request(self, spans: Iterable[Span]) -> bytes:
        """One request with all of them."""
        by_resource: defaultdict[Resource, list[bytes]] = defaultdict(list)
        for span in spans:
            by_resource[span.resource].append(self._span(span))
        return messages(1, (self._resource(one, found) for one, found in by_resource.items()))

    def _resource(self, resource: Resource, spans: list[bytes]) -> bytes:
        described = b"".join([nested(1, _attribute(one)) for one in _describing(resource)])
        return nested(1, described) + nested(2, self._scope + messages(2, spans) + text(3, SCHEMA))

    def _span(self, span: Span) -> bytes:
        name = span.name.encode("utf-8", "replace")
        parts = [_TRACE_ID, span.trace_id, _SPAN_ID, span.span_id]
        if span.parent_id:
            parts += (_PARENT_ID, span.parent_id)
        parts += (_NAME, varint(len(name)), name, number(_KIND, span.kind))
        parts.append(_times(_START, _time(span.start_ns), _END, _time(span.end_ns)))
        known = self._known
        parts += [known.get(one) or self._remembered(one) for one in span.attributes]
        parts += [nested(_LINK, _link(one)) for one in span.links]
        if span.error:
            parts.append(nested(_STATUS, text(2, span.error) + number(3, _ERROR)))
        return b"".join(parts)

    def _remembered(self, one: Attribute) -> bytes:
        laid = nested(_ATTRIBUTE, _attribute(one))
        if len(self._known) >= _REMEMBERED:  # mostly ids of messages: what is usual is soon known again
            self._known.clear()
        self._known[one] = laid
        return laid


def _attribute(one: Attribute) -> bytes:
    return text(1, one[0]) + nested(2, _value(one[1]))


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        return text(1, value)
    if isinstance(value, bool):
        return number(2, value)
    if isinstance(value, int):
        return number(3, value)
    return nested(5, messages(1, (text(1, one) for one in value)))


def _link(link: Link) -> bytes:
    why = nested(4, _attribute(("openstack.link", link.why)))
    return nested(1, link.trace_id) + nested(2, link.span_id) + why


def _describing(resource: Resource) -> Iterator[Attribute]:
    yield "service.name", resource.service
    yield "service.namespace", "openstack"
    yield "telemetry.sdk.name", "rpcscope"
    yield "telemetry.sdk.language", "python"
    yield "telemetry.sdk.version", __version__
    texts = (("host.name", resource.host), ("service.instance.id", resource.instance))
    yield from (one for one in texts if one[1])
    if resource.pid:
        yield "process.pid", resource.pid


def _time(ns: int) -> int:
    return min(max(ns, 0), _LATEST)
