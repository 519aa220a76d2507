"""Real OTLP receivers of the tests, over HTTP and gRPC, that take, refuse, stumble or lie as they are told."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Received = dict[str, Any]
"""A span as a receiver knows it: ids in hex, times, name, kind, resource, attributes, links, error."""


class Receiver:
    """What came in. `answers` are used up first, each a status and a body (HTTP) or a code (gRPC)."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        self.answers: deque[Any] = deque()
        self.always: Any = None
        self.rejects = 0  # spans of each request
        self.asked = 0
        self.came = threading.Condition()
        self.url = ""
        self._free = threading.Event()
        self._free.set()

    def hang(self) -> None:
        """Answers nothing any more, until the receiver ends."""
        self._free.clear()

    def take(self, request: ExportTraceServiceRequest, headers: dict[str, str]) -> ExportTraceServiceResponse:
        with self.came:
            self.requests.append(request)
            self.headers.append(headers)
            self.came.notify_all()
        response = ExportTraceServiceResponse()
        if self.rejects:
            response.partial_success.rejected_spans = self.rejects
            response.partial_success.error_message = "too\nold\u202e"
        return response

    def turn(self) -> Any:
        """What to answer now; None: take it."""
        with self.came:
            self.asked += 1
            self.came.notify_all()
        self._free.wait()
        with self.came:
            return self.answers.popleft() if self.answers else self.always

    def wait(self, until: Callable[[], bool], timeout_s: float = 60) -> None:
        with self.came:
            assert self.came.wait_for(until, timeout_s), "what was waited for did not come"

    def end(self) -> None:
        """Answers whoever still waits."""
        self._free.set()

    def spans(self) -> list[Received]:
        with self.came:
            requests = list(self.requests)
        return [span for request in requests for span in unpacked(request)]


def unpacked(request: ExportTraceServiceRequest) -> list[Received]:
    """Its spans."""
    return [
        _span(span, {one.key: _value(one.value) for one in group.resource.attributes})
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]


def _span(span: Span, resource: dict[str, Any]) -> Received:
    return {
        "trace": span.trace_id.hex(), "id": span.span_id.hex(), "parent": span.parent_span_id.hex(), "name": span.name,
        "kind": Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"), "start": span.start_time_unix_nano,
        "end": span.end_time_unix_nano, "resource": resource,
        "attributes": {one.key: _value(one.value) for one in span.attributes},
        "links": [(one.trace_id.hex(), one.span_id.hex()) for one in span.links],
        "error": span.status.message if span.status.code == 2 else "",
    }  # fmt: skip


def _value(value: Any) -> Any:
    which = value.WhichOneof("value")
    found = getattr(value, which)
    return tuple(_value(one) for one in found.values) if which == "array_value" else found


@contextmanager
def http_receiver(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """An OTLP/HTTP endpoint on a free port."""
    receiver = Receiver()
    server = _Quiet(("127.0.0.1", 0), _handler(receiver))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.end()
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away, or do not trust it, are what some tests are about."""


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told = receiver.turn()
            if told is None and self.path != "/v1/traces":
                told = (404, b"<html>no such page</html>", {"Content-Type": "text/html"})
            if told is not None:
                self._say(*told)
                return
            assert self.headers["Content-Type"] == "application/x-protobuf"
            assert self.headers["Content-Encoding"] == "gzip"
            request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
            response = receiver.take(request, {name.lower(): value for name, value in self.headers.items()})
            self._say(200, response.SerializeToString(), {"Content-Type": "application/x-protobuf"})

        def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@contextmanager
def grpc_receiver() -> Iterator[Receiver]:
    """An OTLP/gRPC endpoint on a free port."""
    receiver = Receiver()
    pool = ThreadPoolExecutor(4)
    server = grpc.server(pool)
    add_TraceServiceServicer_to_server(_servicer(receiver), server)
    receiver.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield receiver
    finally:
        server.stop(None).wait()
        pool.shutdown()


def _servicer(receiver: Receiver) -> TraceServiceServicer:
    class Servicer(TraceServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:
            told = receiver.turn()
            if told is not None:
                context.abort(told, "as the test wants it")
            return receiver.take(request, {name: str(value) for name, value in context.invocation_metadata()})

    return Servicer()
