"""Real OTLP receivers of metrics for the tests, over HTTP and gRPC, that take or refuse as they are told."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import (
    MetricsServiceServicer,
    add_MetricsServiceServicer_to_server,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric


class Received:
    """What came in."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200  # of HTTP
        self.paths: list[str] = []
        self._requests: list[ExportMetricsServiceRequest] = []
        self._came = threading.Condition()

    def take(self, request: ExportMetricsServiceRequest, path: str) -> None:
        with self._came:
            self._requests.append(request)
            self.paths.append(path)
            self._came.notify_all()

    def wait(self, until: Callable[[], bool]) -> None:
        with self._came:
            assert self._came.wait_for(until, 60), "what was waited for did not come"

    def metrics(self) -> dict[str, Metric]:
        """Those of the newest request, by name."""
        (resource,) = self._requests[-1].resource_metrics
        (scope,) = resource.scope_metrics
        return {metric.name: metric for metric in scope.metrics}

    def resource(self) -> dict[str, str]:
        (resource,) = self._requests[-1].resource_metrics
        return {pair.key: pair.value.string_value for pair in resource.resource.attributes}


@contextmanager
def http_receiver(port: int = 0) -> Iterator[Received]:
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            body = gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
            received.take(ExportMetricsServiceRequest.FromString(body), self.path)
            self.send_response(received.status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        received.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield received
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def grpc_receiver() -> Iterator[Received]:
    received = Received()

    class Service(MetricsServiceServicer):
        def Export(self, request: Any, context: Any) -> ExportMetricsServiceResponse:
            received.take(request, "grpc")
            return ExportMetricsServiceResponse()

    with ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool)
        add_MetricsServiceServicer_to_server(Service(), server)
        received.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        try:
            yield received
        finally:
            server.stop(None).wait()


def points(metric: Metric) -> dict[frozenset[tuple[str, str]], float]:
    """Values of a sum or gauge, counts of a histogram, by attributes."""
    kind = metric.WhichOneof("data")
    found = {}
    for point in getattr(metric, kind).data_points:
        key = frozenset((pair.key, pair.value.string_value) for pair in point.attributes)
        value = point.count if kind == "histogram" else getattr(point, point.WhichOneof("value"))
        found[key] = value
    return found
