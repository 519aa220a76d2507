"""A real server takes spans from a real exporter, and refuses what it can not take in the words of OTLP."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind

from rpcscope.errors import UsageError
from rpcscope.model import Gap, GapCause, Inside
from rpcscope_collectors.otlp import OtlpTap
from rpcscope_collectors.otlp_door import Door
from rpcscope_collectors.otlp_requests import MAX_BODY, MAX_INFLATED
from rpcscope_collectors.otlp_server import OtlpServer
from tests.support.spans import consumer, producer, request, request_json

PROTOBUF, JSON = "application/x-protobuf", "application/json"
HERE = Door.parse("127.0.0.1:0")
SECRET = "PS7q-a-token-of-the-test"


@pytest.fixture
def tap() -> Iterator[OtlpTap]:
    tap = OtlpTap(HERE, hold_ns=0)
    tap.open()
    yield tap
    tap.close()


def post(port: int, body: bytes, kind: str = PROTOBUF, path: str = "/v1/traces", **headers: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", path, body, {"Content-Type": kind, **headers})
        response = connection.getresponse()
        assert response.getheader("Content-Type") == (kind if kind in (PROTOBUF, JSON) else PROTOBUF)
        return response.status, response.read()
    finally:
        connection.close()


def told(tap: OtlpTap) -> list[Inside]:
    return [one for one in tap.take(100) if isinstance(one, Inside)]


def test_what_opentelemetrys_own_exporter_sends_is_taken(tap: OtlpTap) -> None:
    exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{tap.port}/v1/traces")
    provider = TracerProvider(resource=Resource.create({"service.name": "nova-api"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("oslo.messaging").start_as_current_span("x", kind=SpanKind.PRODUCER) as span:
        span.set_attributes({"messaging.system": "rabbitmq", "messaging.operation": "call", "rpc.method": "ping"})
    provider.shutdown()
    assert [(one.program, one.method) for one in told(tap)] == [("nova-api", "ping")] * 2
    assert (tap.count.seen, tap.count.kept) == (1, 1)


@pytest.mark.parametrize("packed", [False, True])
def test_protobuf_and_json_are_taken_as_they_are_and_gzipped(tap: OtlpTap, packed: bool) -> None:
    bodies = {
        PROTOBUF: request(producer()).SerializeToString(),
        JSON: json.dumps(request_json(consumer())).encode(),
    }
    for kind, body in bodies.items():
        headers = {"Content-Encoding": "gzip"} if packed else {}
        assert post(tap.port, gzip.compress(body) if packed else body, kind, **headers)[0] == 200
    assert len(told(tap)) == 4


def test_spans_that_are_none_are_told_as_a_partial_success(tap: OtlpTap) -> None:
    broken = producer(trace_id="0" * 32)
    status, answer = post(tap.port, request(broken, producer()).SerializeToString())
    assert (status, ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans) == (200, 1)
    _, answer = post(tap.port, json.dumps(request_json(broken)).encode(), JSON)
    assert json.loads(answer)["partialSuccess"]["rejectedSpans"] == "1"
    assert post(tap.port, request(producer()).SerializeToString()) == (200, b"")


@pytest.mark.parametrize(
    ("status", "body", "kind", "headers"),
    [
        (400, b"\xff\xff", PROTOBUF, {}),
        (400, b"{", JSON, {}),
        (400, b"[" * 200_000, JSON, {}),
        (400, b"no gzip", PROTOBUF, {"Content-Encoding": "gzip"}),
        (400, gzip.compress(b"x" * 100_000)[:50], PROTOBUF, {"Content-Encoding": "gzip"}),
        (413, gzip.compress(bytes(MAX_INFLATED + 1)), PROTOBUF, {"Content-Encoding": "gzip"}),
        (415, b"", "text/plain", {}),
        (415, b"", PROTOBUF, {"Content-Encoding": "br"}),
    ],
)
def test_what_can_not_be_read_is_refused_with_a_status_of_its_own(
    tap: OtlpTap, status: int, body: bytes, kind: str, headers: dict[str, str]
) -> None:
    found, answer = post(tap.port, body, kind, **headers)
    assert found == status
    message = json.loads(answer)["message"] if kind == JSON else Status.FromString(answer).message
    assert message
    assert tap.count.seen == 0


def test_a_body_that_is_too_long_is_refused_before_it_is_read(tap: OtlpTap) -> None:
    connection = HTTPConnection("127.0.0.1", tap.port, timeout=60)
    connection.putrequest("POST", "/v1/traces")
    for name, value in {"Content-Type": PROTOBUF, "Content-Length": str(MAX_BODY + 1)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_other_paths_and_methods_are_refused(tap: OtlpTap) -> None:
    assert post(tap.port, b"", path="/v1/metrics")[0] == 404
    connection = HTTPConnection("127.0.0.1", tap.port, timeout=60)
    connection.request("GET", "/v1/traces")
    assert connection.getresponse().status == 405
    connection.close()


def test_who_sends_more_than_there_is_room_for_is_asked_to_come_again() -> None:
    tap = OtlpTap(HERE, most=3)
    tap.open()
    try:
        assert post(tap.port, request(producer()).SerializeToString())[0] == 200
        connection = HTTPConnection("127.0.0.1", tap.port, timeout=60)
        connection.request("POST", "/v1/traces", request(producer()).SerializeToString(), {"Content-Type": PROTOBUF})
        response = connection.getresponse()
        assert (response.status, response.getheader("Retry-After")) == (429, "5")
        connection.close()
        assert (tap.count.kept, tap.count.refused) == (1, 1)
        gaps = [one for one in tap.take(100) if isinstance(one, Gap)]
        assert [(gap.cause, gap.estimate) for gap in gaps] == [(GapCause.INSIDE, None)]
        assert [one for one in tap.take(100) if isinstance(one, Gap)] == [], "it was told twice"
    finally:
        tap.close()


def test_one_sender_too_many_is_asked_to_come_again_and_the_others_are_served() -> None:
    turned_away: list[bool] = []
    server = OtlpServer(HERE, lambda spans: 0, turned_away=lambda: turned_away.append(True), most_senders=1)
    server.open()
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as busy:
            busy.sendall(b"POST /v1/traces HTTP/1.1\r\n")
            with socket.create_connection(("127.0.0.1", server.port), timeout=60) as other:
                assert other.recv(100).startswith(b"HTTP/1.1 429")
            assert turned_away == [True]
            head = f"Content-Type: {PROTOBUF}\r\nContent-Length: 0\r\n\r\n"
            busy.sendall(head.encode())
            assert busy.recv(100).startswith(b"HTTP/1.1 200")
    finally:
        server.close()


@pytest.mark.parametrize("place", ["0.0.0.0:4318", "[::]:4318", "controller:4318"])
def test_others_than_this_host_may_send_only_with_a_token(place: str) -> None:
    with pytest.raises(UsageError, match="wants a token"):
        Door.parse(place)
    assert SECRET not in repr(Door.parse(place, SECRET))


def test_a_token_is_asked_for_where_there_is_one() -> None:
    tap = OtlpTap(Door.parse("127.0.0.1:0", SECRET), hold_ns=0)
    tap.open()
    body = request(producer()).SerializeToString()
    try:
        assert post(tap.port, body)[0] == 401
        assert post(tap.port, body, Authorization="Bearer PS7q-another-one-of-it")[0] == 401
        assert post(tap.port, body, Authorization=f"Bearer {SECRET}")[0] == 200
    finally:
        tap.close()


@pytest.mark.parametrize("place", ["", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", ":4318"])
def test_a_place_that_is_none_is_said(place: str) -> None:
    with pytest.raises(UsageError, match="--otlp-listen"):
        Door.parse(place)


def test_a_port_in_use_is_said(tap: OtlpTap) -> None:
    with pytest.raises(UsageError, match="can not be listened at"):
        OtlpTap(Door.parse(f"127.0.0.1:{tap.port}")).open()


def test_what_waits_comes_out_once_it_is_closed() -> None:
    tap = OtlpTap(HERE, hold_ns=1 << 62)
    tap.open()
    assert post(tap.port, request(producer(), consumer()).SerializeToString())[0] == 200
    assert (tap.take(100), tap.backlog) == ([], 0)
    tap.close()
    assert tap.backlog == 4
    assert (len(tap.take(3)), len(tap.take(3)), tap.backlog) == (3, 1, 0)


def test_who_sends_a_byte_at_a_time_keeps_nobody_from_closing_it() -> None:
    tap = OtlpTap(HERE)
    tap.open()
    with socket.create_connection(("127.0.0.1", tap.port), timeout=60) as slow:
        slow.sendall(b"POST /v1/traces HTTP/1.1\r\nContent-Type: ")
        assert post(tap.port, b"")[0] == 200, "the slow one was let in before"
        tap.close()
        assert slow.recv(100).startswith(b"HTTP/1.1 415"), "it is told what was wrong with what it sent"
