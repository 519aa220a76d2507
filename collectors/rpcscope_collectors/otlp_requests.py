"""One request to an OTLP receiver: from its headers and bytes to spans, within bounds."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import BinaryIO

from rpcscope_collectors.otlp_answers import JSON, PROTOBUF, Answer, refused, taken
from rpcscope_collectors.otlp_door import Door
from rpcscope_collectors.span import Span
from rpcscope_collectors.span_bodies import BodyError, of_json, of_protobuf

PATH = "/v1/traces"
MAX_BODY = 4 << 20  # bytes on the wire; exporters send 512 spans at a time, about 500 kB
MAX_INFLATED = 32 << 20
_READERS: dict[str, Callable[[bytes], list[Span]]] = {PROTOBUF: of_protobuf, JSON: of_json}

Take = Callable[[list[Span]], int | None]
"""Is given the spans of a request; says how many were no good, or None when nothing can be taken now."""


class Refusal(Exception):
    """A request is refused with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def answered(path: str, headers: Mapping[str, str], body: BinaryIO, door: Door, take: Take) -> Answer:
    """What becomes of a POST."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if path.partition("?")[0] != PATH:
            raise _refusal(404, f"spans are taken at {PATH} alone", kind)
        if not door.lets_in(headers.get("authorization", "")):
            raise _refusal(401, "the token is not the one that is wanted here", kind)
        read = _READERS.get(kind)
        if read is None:
            raise _refusal(415, f"send {PROTOBUF} or {JSON}", kind)
        spans = read(_inflated(_received(headers, body, kind), headers, kind))
    except Refusal as refusal:
        return refusal.answer
    except BodyError:
        return refused(400, f"the body is not the {kind} of a trace request", kind)
    rejected = take(spans)
    if rejected is None:
        return refused(429, "too many spans wait to be stored", kind, after_s=5)
    return taken(rejected, kind)


def _refusal(status: int, why: str, kind: str) -> Refusal:
    return Refusal(refused(status, why, kind))


def _received(headers: Mapping[str, str], body: BinaryIO, kind: str) -> bytes:
    length = headers.get("content-length", "")
    if not (length.isascii() and length.isdigit() and len(length) < 20):
        raise _refusal(411, "say the length of the body", kind)
    if int(length) > MAX_BODY:
        raise _refusal(413, f"a body may have {MAX_BODY:,} bytes", kind)
    received = body.read(int(length))
    if len(received) < int(length):
        raise _refusal(400, "the body is shorter than its length", kind)
    return received


def _inflated(body: bytes, headers: Mapping[str, str], kind: str) -> bytes:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        return body
    if encoding != "gzip":
        raise _refusal(415, "send the body as it is, or gzip", kind)
    inflating = zlib.decompressobj(wbits=31)
    try:
        plain = inflating.decompress(body, MAX_INFLATED + 1)
    except zlib.error:
        raise _refusal(400, "the body is not gzip", kind) from None
    if len(plain) > MAX_INFLATED:
        raise _refusal(413, f"an inflated body may have {MAX_INFLATED:,} bytes", kind)
    if not inflating.eof:
        raise _refusal(400, "the body is not all of its gzip", kind)
    return plain
