"""A span as it leaves rpcscope. Words and numbers are those of OTLP (opentelemetry/proto/trace/v1)."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

Value = str | int | bool | tuple[str, ...]
Attribute = tuple[str, Value]
"""A name and what it says. A name has values of one type."""


class SpanKind(IntEnum):
    """Which side of what a span is."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class Resource(NamedTuple):
    """A process that spans are of. "" is unknown."""

    service: str  # nova-conductor
    host: str = ""
    instance: str = ""  # tells it from every other process
    pid: int = 0  # 0: unknown


class Link(NamedTuple):
    """Another span that belongs to one."""

    trace_id: bytes
    span_id: bytes
    why: str


class Span(NamedTuple):
    """One span."""

    trace_id: bytes  # 16 bytes
    span_id: bytes  # 8 bytes
    parent_id: bytes  # 8 bytes; b"" of a root
    name: str
    kind: SpanKind
    start_ns: int
    end_ns: int  # not before its start
    resource: Resource
    attributes: tuple[Attribute, ...]
    error: str = ""  # class name of what went wrong; "" leaves the status unset
    links: tuple[Link, ...] = ()
