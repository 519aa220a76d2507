"""What an endpoint says to a request."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

_LONGEST = 200
NO_OTLP = "does not answer as an OTLP endpoint does"


class Verdict(Enum):
    """What became of a request."""

    TAKEN = "taken"  # as a whole, or but some spans
    LATER = "later"  # not now: it may be sent again
    REFUSED = "refused"  # and will be each time


class Answer(NamedTuple):
    """One answer."""

    verdict: Verdict
    why: str = ""  # a part of a sentence whose subject is the endpoint
    rejected: int = 0  # spans of a request that was taken
    after_s: float | None = None  # how long it wants to be left alone


def taken(body: bytes) -> Answer:
    """What the body of a success says."""
    try:
        response = ExportTraceServiceResponse.FromString(body)
    except DecodeError:
        return Answer(Verdict.REFUSED, NO_OTLP)
    return of_response(response)


def of_response(response: ExportTraceServiceResponse) -> Answer:
    """A success, or a partial one."""
    partial = response.partial_success
    rejected = max(0, partial.rejected_spans)
    why = f"rejected spans: {plain(partial.error_message) or 'it does not say why'}" if rejected else ""
    return Answer(Verdict.TAKEN, why, rejected)


def later(why: str, after_s: float | None = None) -> Answer:
    """It may be sent again."""
    return Answer(Verdict.LATER, why, 0, after_s)


def refused(why: str) -> Answer:
    """It would be refused each time."""
    return Answer(Verdict.REFUSED, why)


def plain(text: str) -> str:
    """An endpoint's own words, for one line of ours."""
    return "".join(one if one.isprintable() else " " for one in text[:_LONGEST]).strip()
