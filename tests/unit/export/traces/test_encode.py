"""Requests are what OTLP's own generated messages read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from rpcscope.export.traces.encode import Encoder
from rpcscope.export.traces.span import Link, Resource, Span, SpanKind
from tests.support.otlp import unpacked

TEXTS = st.text(max_size=300)
VALUES = TEXTS | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.lists(TEXTS, max_size=3).map(tuple)
TIMES = st.integers(0, 2**63 - 1)
# A name has values of one type: that is what its bytes are remembered by.
ATTRIBUTES = st.dictionaries(TEXTS, VALUES, max_size=6).map(
    lambda found: tuple((f"{type(value).__name__} {name}", value) for name, value in found.items())
)
LINKS = st.lists(st.builds(Link, st.binary(min_size=16, max_size=16), st.binary(min_size=8, max_size=8), TEXTS))
SPANS = st.builds(
    Span,
    trace_id=st.binary(min_size=16, max_size=16),
    span_id=st.binary(min_size=8, max_size=8),
    parent_id=st.just(b"") | st.binary(min_size=8, max_size=8),
    name=TEXTS,
    kind=st.sampled_from(SpanKind),
    start_ns=TIMES,
    end_ns=TIMES,
    resource=st.builds(Resource, TEXTS, TEXTS, TEXTS, st.integers(0, 2**31)),
    attributes=ATTRIBUTES,
    error=TEXTS,
    links=LINKS.map(tuple),
)


@given(st.lists(SPANS, max_size=8))
def test_what_is_encoded_is_what_the_generated_messages_read(spans: list[Span]) -> None:
    encoder = Encoder()
    for _ in range(2):  # the second time from what it remembers
        found = unpacked(ExportTraceServiceRequest.FromString(encoder.request(spans)))
        assert sorted(map(_told, found)) == sorted(map(_meant, spans))


def _told(one: dict[str, object]) -> str:
    resource = one.pop("resource")
    assert isinstance(resource, dict)
    names = ("service.name", "host.name", "service.instance.id", "process.pid")
    return repr([one, [resource.get(name) for name in names]])


def _meant(span: Span) -> str:
    who = span.resource
    one = {
        "trace": span.trace_id.hex(), "id": span.span_id.hex(), "parent": span.parent_id.hex(), "name": span.name,
        "kind": span.kind.name, "start": span.start_ns, "end": span.end_ns, "attributes": dict(span.attributes),
        "links": [(link.trace_id.hex(), link.span_id.hex()) for link in span.links], "error": span.error,
    }  # fmt: skip
    return repr([one, [who.service, who.host or None, who.instance or None, who.pid or None]])


def test_what_is_no_utf_8_is_replaced_and_times_that_no_clock_shows_are_bounded() -> None:
    span = Span(
        trace_id=bytes(16), span_id=bytes(8), parent_id=b"", name="a\ud800b", kind=SpanKind.CLIENT, start_ns=-5,
        end_ns=1 << 70, resource=Resource("x"), attributes=(("odd", "\udfff"),),
    )  # fmt: skip
    (found,) = unpacked(ExportTraceServiceRequest.FromString(Encoder().request([span])))
    assert (found["name"], found["attributes"], found["start"], found["end"]) == ("a?b", {"odd": "?"}, 0, 2**63 - 1)


def test_what_is_remembered_is_bounded() -> None:
    encoder = Encoder()
    for number in range(45_000):
        encoder.request([Span(bytes(16), bytes(8), b"", "n", SpanKind.CLIENT, 1, 2, Resource("x"), (("k", number),))])
    assert len(encoder._known) <= 20_000
