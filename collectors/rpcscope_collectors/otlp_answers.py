"""What an OTLP receiver answers: a success, a partial one, or why not.

Source: the OTLP specification 1.x, "OTLP/HTTP Response"; failures are a google.rpc.Status in the form of the request.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

PROTOBUF, JSON = "application/x-protobuf", "application/json"
_CODES = {400: 3, 401: 16, 404: 5, 405: 12, 411: 3, 413: 8, 415: 3, 429: 8, 503: 14}  # of google.rpc.Code


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to one request."""

    status: int
    body: bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)


def taken(rejected: int, content_type: str) -> Answer:
    """All spans were taken, but those that can not be read."""
    why = "spans whose ids or times are not those of a span" if rejected else ""
    if content_type == JSON:
        partial = {"partialSuccess": {"rejectedSpans": str(rejected), "errorMessage": why}} if rejected else {}
        return Answer(200, json.dumps(partial).encode(), JSON)
    response = ExportTraceServiceResponse()
    if rejected:
        response.partial_success.rejected_spans = rejected
        response.partial_success.error_message = why
    return Answer(200, response.SerializeToString(), PROTOBUF)


def refused(status: int, why: str, content_type: str = PROTOBUF, *, after_s: int | None = None) -> Answer:
    """Nothing was taken.

    Args:
        after_s: when the sender may try again.
    """
    headers = {"Retry-After": str(after_s)} if after_s is not None else {}
    code = _CODES.get(status, 2)
    if content_type == JSON:
        return Answer(status, json.dumps({"code": code, "message": why}).encode(), JSON, headers)
    return Answer(status, Status(code=code, message=why).SerializeToString(), PROTOBUF, headers)
