"""Operations in the JSON that Jaeger's page takes by "Upload": a trace each, of the same spans that OTLP gets.

Source of the structure: what Jaeger's own query service answers at /api/traces. Times are microseconds there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from rpcscope.export.files.wanted import Wanted, operations
from rpcscope.export.files.write import whole
from rpcscope.export.traces.reading import Reading
from rpcscope.export.traces.span import Attribute, Resource, Span, Value
from rpcscope.export.traces.spans import spans
from rpcscope.store.protocol import Reader

_AT_ONCE = 100
_TYPES = {bool: "bool", int: "int64", str: "string"}


def write_jaeger(reader: Reader, path: Path, wanted: Wanted) -> int:
    """How many traces. They are written as they are read. Raises RpcscopeError when the file can not be written."""
    return whole(path, lambda part: _write(part, documents(reader, wanted)))


def documents(reader: Reader, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """The trace of each operation, the oldest first."""
    reading, found = Reading(reader), operations(reader, wanted)
    while views := list(islice(found, _AT_ONCE)):
        for one in reading.whole(views):
            yield document(spans(one, reading.resources))


def document(trace: Iterable[Span]) -> dict[str, Any]:
    """One trace."""
    processes: dict[Resource, str] = {}
    made = [_span(span, processes) for span in trace]
    return {
        "traceID": made[0]["traceID"] if made else "",
        "spans": made,
        "processes": {name: _process(resource) for resource, name in processes.items()},
    }


def _write(path: Path, traces: Iterable[dict[str, Any]]) -> int:
    written = 0
    with path.open("wb") as file:
        file.write(b'{"data":[')
        for one in traces:
            file.write((b",\n" if written else b"\n") + orjson.dumps(one))
            written += 1
        file.write(b"\n]}\n")
    return written


def _span(span: Span, processes: dict[Resource, str]) -> dict[str, Any]:
    above = span.parent_id.hex()
    references = [_reference("CHILD_OF", span.trace_id.hex(), above)] if above else []
    references += [_reference("FOLLOWS_FROM", link.trace_id.hex(), link.span_id.hex()) for link in span.links]
    tags: list[Attribute] = [("span.kind", span.kind.name.lower()), *span.attributes]
    if span.error:
        tags += [("error", True), ("otel.status_code", "ERROR"), ("otel.status_description", span.error)]
    start_us = span.start_ns // 1_000
    return {
        "traceID": span.trace_id.hex(),
        "spanID": span.span_id.hex(),
        "operationName": span.name,
        "references": references,
        "startTime": start_us,
        "duration": span.end_ns // 1_000 - start_us,
        "tags": [_tag(name, value) for name, value in tags],
        "logs": [],
        "processID": processes.setdefault(span.resource, f"p{len(processes) + 1}"),
        "warnings": None,
    }


def _reference(why: str, trace_id: str, span_id: str) -> dict[str, str]:
    return {"refType": why, "traceID": trace_id, "spanID": span_id}


def _process(resource: Resource) -> dict[str, Any]:
    known: tuple[Attribute, ...] = (
        ("host.name", resource.host), ("service.instance.id", resource.instance), ("process.pid", resource.pid),
    )  # fmt: skip
    return {
        "serviceName": resource.service or "unknown",
        "tags": [_tag(name, value) for name, value in known if value],
    }


def _tag(name: str, value: Value) -> dict[str, Any]:
    """Jaeger has no lists: one is JSON in a string."""
    if isinstance(value, tuple):
        return {"key": name, "type": "string", "value": orjson.dumps(value).decode()}
    return {"key": name, "type": _TYPES[type(value)], "value": value}
