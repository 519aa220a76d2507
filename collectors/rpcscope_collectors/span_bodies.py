"""OTLP bodies become spans: protobuf, JSON, and lines of files.

Three shapes of the same: `ExportTraceServiceRequest` of opentelemetry-proto (trace_service.proto); its JSON with ids in
hex and 64-bit numbers as strings (OTLP specification, "JSON Protobuf Encoding"), which the file exporter of the
OpenTelemetry Collector writes too, one request a line; and one flat object for each span.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from google.protobuf.message import DecodeError as ProtobufError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from rpcscope_collectors.span import Attributes, Origin, Span, origin_of

_KINDS = {2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
_KIND_NAMES = {f"SPAN_KIND_{name}": name for name in _KINDS.values()} | {name: name for name in _KINDS.values()}
_ERROR = 2
_EXCEPTION = "exception.type"


class BodyError(Exception):
    """A body is not what its content type says."""


def of_protobuf(body: bytes) -> list[Span]:
    """The spans of a request. Raises BodyError."""
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except ProtobufError:
        raise BodyError from None
    return [
        _of_message(origin, scope.scope.name, span)
        for group in request.resource_spans
        for origin in (origin_of(_attributes(group.resource.attributes)),)
        for scope in group.scope_spans
        for span in scope.spans
    ]


def of_json(body: bytes) -> list[Span]:
    """The spans of a request. Raises BodyError."""
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        raise BodyError from None
    if not isinstance(request, dict) or not isinstance(request.get("resourceSpans", []), list):
        raise BodyError
    return list(of_request(request))


def of_request(request: dict[str, Any]) -> Iterator[Span]:
    """The spans of a request in its JSON form; what is of another shape has no spans."""
    for group in _objects(request.get("resourceSpans")):
        origin = origin_of(_plain(_object(group.get("resource")).get("attributes")))
        for scope in _objects(group.get("scopeSpans")):
            name = _text(_object(scope.get("scope")).get("name"))
            yield from map(partial(_of_object, origin, name), _objects(scope.get("spans")))


def of_row(row: dict[str, Any]) -> Span:
    """A span that is an object of its own: `trace_id`, `span_id`, `start`, `end`, `attributes`, `resource`."""
    events = [_object(event.get("attributes")) for event in _objects(row.get("events"))]
    return Span(
        origin=origin_of(_object(row.get("resource"))),
        scope=_text(row.get("scope")),
        trace_id=_text(row.get("trace_id")),
        span_id=_text(row.get("span_id")),
        parent_span_id=_text(row.get("parent_span_id")),
        kind=_kind(row.get("kind")),
        name=_text(row.get("name")),
        started_ns=_number(row.get("start")),
        ended_ns=_number(row.get("end")),
        failed=_object(row.get("status")).get("code") == _ERROR,
        exception=_exception(events),
        attributes=_object(row.get("attributes")),
    )


def is_row(row: dict[str, Any]) -> bool:
    """Whether a line is a flat object of one span."""
    return isinstance(row.get("trace_id"), str) and isinstance(row.get("span_id"), str) and "start" in row


def is_request(row: dict[str, Any]) -> bool:
    """Whether a line is a request in its JSON form."""
    return isinstance(row.get("resourceSpans"), list)


def _of_message(origin: Origin, scope: str, span: Any) -> Span:
    return Span(
        origin=origin,
        scope=scope,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        kind=_kind(span.kind),
        name=span.name,
        started_ns=span.start_time_unix_nano,
        ended_ns=span.end_time_unix_nano,
        failed=span.status.code == _ERROR,
        exception=_exception(_attributes(event.attributes) for event in span.events),
        attributes=_attributes(span.attributes),
    )


def _attributes(pairs: Iterable[Any]) -> dict[str, object]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> object:
    which = value.WhichOneof("value")
    return getattr(value, which) if which in ("string_value", "int_value", "bool_value", "double_value") else None


def _of_object(origin: Origin, scope: str, span: dict[str, Any]) -> Span:
    return Span(
        origin=origin,
        scope=scope,
        trace_id=_text(span.get("traceId")).lower(),
        span_id=_text(span.get("spanId")).lower(),
        parent_span_id=_text(span.get("parentSpanId")).lower(),
        kind=_kind(span.get("kind")),
        name=_text(span.get("name")),
        started_ns=_number(span.get("startTimeUnixNano")),
        ended_ns=_number(span.get("endTimeUnixNano")),
        failed=_object(span.get("status")).get("code") in (_ERROR, "STATUS_CODE_ERROR"),
        exception=_exception(_plain(event.get("attributes")) for event in _objects(span.get("events"))),
        attributes=_plain(span.get("attributes")),
    )


def _plain(pairs: object) -> dict[str, object]:
    return {_text(pair.get("key")): _plain_value(_object(pair.get("value"))) for pair in _objects(pairs)}


def _plain_value(value: dict[str, Any]) -> object:
    if "intValue" in value:
        return _number(value["intValue"])
    return next((value[key] for key in ("stringValue", "boolValue", "doubleValue") if key in value), None)


def _kind(value: object) -> str:
    if type(value) is int:
        return _KINDS.get(value, "")
    return _KIND_NAMES.get(value, "") if type(value) is str else ""


def _exception(events: Iterable[Attributes]) -> str:
    """Of the last one that was recorded."""
    found = ""
    for attributes in events:
        found = _text(attributes.get(_EXCEPTION)) or found
    return found


def _number(value: object) -> int:
    """A whole number, or one that is written as a string as JSON does it with 64 bits; 0 for all else."""
    if type(value) is int:
        return value
    return int(value) if type(value) is str and value.isascii() and value.isdigit() and len(value) <= 20 else 0


def _text(value: object) -> str:
    return value if type(value) is str else ""


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
