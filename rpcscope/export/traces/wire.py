"""Protobuf's wire format, as far as OTLP's traces need it. Source: the encoding guide of Protocol Buffers."""

from __future__ import annotations

from collections.abc import Iterable

_VARINT, FIXED64, _BYTES = 0, 1, 2
_SHORT = [bytes((one,)) for one in range(128)]
_64_BITS = (1 << 64) - 1


def varint(number: int) -> bytes:
    """A number of 0 or more."""
    if number < 128:
        return _SHORT[number]
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


def key(field: int, wire_type: int = _BYTES) -> bytes:
    """What a field begins with."""
    return varint(field << 3 | wire_type)


def nested(field: int, body: bytes) -> bytes:
    """A message, text or bytes."""
    return key(field) + varint(len(body)) + body


def text(field: int, value: str) -> bytes:
    """A text; what is no UTF-8 is replaced."""
    return nested(field, value.encode("utf-8", "replace"))


def number(field: int, value: int) -> bytes:
    """An integer of 64 bits; a negative one as its complement."""
    return key(field, _VARINT) + varint(value & _64_BITS)


def messages(field: int, bodies: Iterable[bytes]) -> bytes:
    """Several messages of one field."""
    begin = key(field)
    return b"".join([part for body in bodies for part in (begin, varint(len(body)), body)])
