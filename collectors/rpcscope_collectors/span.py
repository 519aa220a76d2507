"""One span as it came over OTLP, and what of it may be used: ids, times, a few known attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

LAST_NS = 4_102_444_800 * 1_000_000_000  # the year 2100
_trace_id = re.compile(r"(?!0{32})[0-9a-f]{32}").fullmatch
_span_id = re.compile(r"(?!0{16})[0-9a-f]{16}").fullmatch

Attributes = Mapping[str, object]
"""Values are str, int, float, bool or None; what OTLP nests deeper is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The process that made a span, as its resource says it; "" and 0: it does not say."""

    service: str = ""  # service.name
    instance: str = ""  # service.instance.id: another one for each start of a process
    host: str = ""  # host.name
    pid: int = 0  # process.pid


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One finished span. Times are its host's wall clock, ns."""

    origin: Origin
    scope: str  # of the instrumentation: oslo.messaging
    trace_id: str
    span_id: str
    parent_span_id: str  # "" for a root
    kind: str  # CLIENT, PRODUCER, SERVER, CONSUMER; "" for all others
    name: str
    started_ns: int
    ended_ns: int
    failed: bool = False
    exception: str = ""  # type of what was raised, as its event says
    attributes: Attributes = field(default_factory=dict)

    def text(self, key: str) -> str:
        """An attribute that is a string; "" when there is none."""
        value = self.attributes.get(key)
        return value if type(value) is str else ""

    @property
    def is_sound(self) -> bool:
        """Whether its ids have the shape that W3C gives them, and its times may be true."""
        return bool(
            _trace_id(self.trace_id)
            and _span_id(self.span_id)
            and (not self.parent_span_id or _span_id(self.parent_span_id))
            and 0 < self.started_ns <= self.ended_ns < LAST_NS
        )


def origin_of(resource: Attributes) -> Origin:
    """Who a resource is."""
    pid = resource.get("process.pid")
    return Origin(
        service=_text(resource.get("service.name")),
        instance=_text(resource.get("service.instance.id")),
        host=_text(resource.get("host.name")),
        pid=pid if type(pid) is int and 0 < pid < 1 << 32 else 0,
    )


def _text(value: object) -> str:
    return value if type(value) is str else ""
