"""Spans as oslo.messaging's own tracing makes them, in the shapes in which they are sent and recorded."""

from __future__ import annotations

from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

START_NS = 1_795_000_000_000_000_000
MS = 1_000_000
REQUEST_ID = "req-752bae94-6e39-4377-aed9-1d0e32f70638"
MSG_ID = "19787a4cfecd4a5d8f91c4a0bfc5e23d"
TRACE, CLIENT, SERVER = "8cc4ce229bd8956b0523b27f0ace25c4", "2f1e08f1a5ab2c5d", "73605b21017eb8e7"
KINDS = {"INTERNAL": 1, "SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}


def producer(**other: Any) -> dict[str, Any]:
    """The client's side of a call, as a flat row."""
    row: dict[str, Any] = {
        "trace_id": TRACE, "span_id": CLIENT, "parent_span_id": None, "name": "conductor.object_action",
        "kind": "PRODUCER", "start": START_NS, "end": START_NS + 9 * MS, "scope": "oslo.messaging",
        "status": {"code": 0, "message": ""}, "events": [],
        "attributes": {
            "messaging.system": "rabbitmq", "messaging.operation": "call", "messaging.destination.name": "conductor",
            "rpc.method": "object_action", "openstack.request_id": REQUEST_ID,
        },
        "resource": {"service.name": "nova-compute", "service.instance.id": "4f2eca23-2ffe-439e-8878-ed54ee25aa67"},
    }  # fmt: skip
    return _changed(row, other)


def consumer(**other: Any) -> dict[str, Any]:
    """The server's side of that call."""
    row = producer(
        span_id=SERVER, parent_span_id=CLIENT, name="object_action receive", kind="CONSUMER",
        start=START_NS + 2 * MS, end=START_NS + 8 * MS,
    )  # fmt: skip
    row["attributes"] = {
        "messaging.system": "rabbitmq", "messaging.operation": "receive", "rpc.method": "object_action",
        "messaging.message.id": MSG_ID, "openstack.request_id": REQUEST_ID,
    }  # fmt: skip
    row["resource"] = {"service.name": "nova-conductor", "service.instance.id": "94267d6a-b8d4-4162-8745-656775806f5f"}
    return _changed(row, other)


def _changed(row: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    attributes = {**row["attributes"], **other.pop("attributes", {})}
    return {**row, **other, "attributes": attributes}


def raised(exception: str, text: str = "it is a secret: PS7q") -> dict[str, Any]:
    """What tracing adds to a span in which something was raised."""
    attributes = {"exception.type": exception, "exception.message": text, "exception.stacktrace": text}
    return {"status": {"code": 2, "message": text}, "events": [{"name": "exception", "attributes": attributes}]}


def request(*rows: dict[str, Any]) -> ExportTraceServiceRequest:
    """The rows as an exporter sends them."""
    message = ExportTraceServiceRequest()
    for row in rows:
        group = message.resource_spans.add()
        _put(group.resource.attributes, row["resource"])
        scope = group.scope_spans.add()
        scope.scope.name = row["scope"]
        span = scope.spans.add(
            trace_id=bytes.fromhex(row["trace_id"]), span_id=bytes.fromhex(row["span_id"]),
            parent_span_id=bytes.fromhex(row["parent_span_id"] or ""), name=row["name"], kind=KINDS[row["kind"]],
            start_time_unix_nano=row["start"], end_time_unix_nano=row["end"],
        )  # fmt: skip
        span.status.code = row["status"]["code"]
        span.status.message = row["status"]["message"]
        _put(span.attributes, row["attributes"])
        for event in row["events"]:
            _put(span.events.add(name=event["name"]).attributes, event["attributes"])
    return message


def _put(pairs: Any, values: dict[str, Any]) -> None:
    for key, value in values.items():
        pair = pairs.add(key=key)
        if isinstance(value, int):
            pair.value.int_value = value
        else:
            pair.value.string_value = value


def request_json(*rows: dict[str, Any]) -> dict[str, Any]:
    """The rows as the JSON form of a request."""
    return {"resourceSpans": [_group(row) for row in rows]}


def _group(row: dict[str, Any]) -> dict[str, Any]:
    span = {
        "traceId": row["trace_id"], "spanId": row["span_id"], "parentSpanId": row["parent_span_id"] or "",
        "name": row["name"], "kind": KINDS[row["kind"]], "startTimeUnixNano": str(row["start"]),
        "endTimeUnixNano": str(row["end"]), "status": row["status"], "attributes": _pairs(row["attributes"]),
        "events": [{**event, "attributes": _pairs(event["attributes"])} for event in row["events"]],
    }  # fmt: skip
    scopes = [{"scope": {"name": row["scope"]}, "spans": [span]}]
    return {"resource": {"attributes": _pairs(row["resource"])}, "scopeSpans": scopes}


def _pairs(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in values.items()
    ]
