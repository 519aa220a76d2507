"""Raw firehose lines: what a plain recorder wrote, one JSON object per event.

seq, recv_wall_ns, recv_mono_ns, exchange, routing_key, redelivered, headers, body | body_b64, body_len
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any

from rpcscope.capture.clock import Reading, reading
from rpcscope.model import Observation

_MAX_SEQ = 1 << 63
_MAX_SIZE = 1 << 32  # no broker takes a larger message; a larger number would spoil every sum


def clocks(row: dict[str, Any]) -> Reading:
    """When the recorder read it."""
    return reading(row.get("recv_wall_ns"), row.get("recv_mono_ns"))


def observation(row: dict[str, Any], at_ns: int) -> Observation | None:
    """The event of a line, at a time; None when it is none."""
    exchange, routing_key, headers = row.get("exchange"), row.get("routing_key"), row.get("headers")
    body = body_of(row)
    if not isinstance(exchange, str) or not isinstance(routing_key, str) or body is None:
        return None
    if not isinstance(headers, dict):
        return None
    return Observation(
        at_ns=at_ns,
        exchange=exchange,
        routing_key=routing_key,
        headers=headers,
        body=body,
        size=_size(row, body),
        redelivered=row.get("redelivered") is True,
        seq=count(row.get("seq"), 0),
    )


def body_of(row: dict[str, Any]) -> bytes | None:
    """The body's bytes, from text or base64; None when it has neither."""
    text, encoded = row.get("body"), row.get("body_b64")
    if isinstance(text, str):
        return text.encode("utf-8", "replace")
    if not isinstance(encoded, str):
        return None
    try:
        return b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None


def _size(row: dict[str, Any], body: bytes) -> int:
    size = count(row.get("body_len", row.get("size")), len(body))
    return size if size < _MAX_SIZE else len(body)


def count(value: object, default: int) -> int:
    """A number that counts something, from a field of any type."""
    return value if type(value) is int and 0 <= value < _MAX_SEQ else default
