"""OTLP over gRPC."""

from __future__ import annotations

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from rpcscope.errors import UsageError
from rpcscope.export.traces.answer import Answer, later, of_response, plain, refused
from rpcscope.export.traces.endpoint import Endpoint

_METHODS = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}
"""By the end of the path that the same is sent to over HTTP."""
_CODE = grpc.StatusCode
_AGAIN = frozenset(
    {
        _CODE.CANCELLED, _CODE.DEADLINE_EXCEEDED, _CODE.RESOURCE_EXHAUSTED, _CODE.ABORTED, _CODE.OUT_OF_RANGE,
        _CODE.UNAVAILABLE, _CODE.DATA_LOSS,
    }
)  # fmt: skip
"""Codes after which a request may be sent again. Source: OTLP/gRPC."""


class GrpcSender:
    """Sends requests to one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Connects with the first request."""
        self._endpoint = endpoint
        self._metadata = tuple(endpoint.headers.items())
        self._open()

    def send(self, body: bytes) -> Answer:
        """One request. It never raises."""
        try:
            response = self._export(body, timeout=self._endpoint.timeout_s, metadata=self._metadata)
        except grpc.RpcError as error:
            return self._judged(error)
        return of_response(response)

    def close(self) -> None:
        """Disconnects."""
        self._channel.close()

    def _open(self) -> None:
        to = self._endpoint
        target = f"{f'[{to.host}]' if ':' in to.host else to.host}:{to.port}"
        # It would wait longer and longer by itself before it connects again: the courier does that.
        options = (("grpc.initial_reconnect_backoff_ms", 200), ("grpc.max_reconnect_backoff_ms", 500))
        if to.secure:
            trusted = grpc.ssl_channel_credentials(_trusted(to))
            self._channel = grpc.secure_channel(target, trusted, options, grpc.Compression.Gzip)
        else:
            self._channel = grpc.insecure_channel(target, options, grpc.Compression.Gzip)
        self._export = self._channel.unary_unary(
            _METHODS[to.path.rpartition("/")[2]],
            request_serializer=bytes,
            response_deserializer=ExportTraceServiceResponse.FromString,
        )

    def _judged(self, error: grpc.RpcError) -> Answer:
        code = error.code()
        if code is _CODE.DEADLINE_EXCEEDED:
            return later(f"did not answer within {self._endpoint.timeout_s:g} s")
        if code in _AGAIN:
            return later(f"can not be reached ({code.name.lower()})")
        return refused(f"answers {code.name.lower()}: {plain(error.details() or '') or 'it does not say why'}")


def _trusted(endpoint: Endpoint) -> bytes | None:
    if endpoint.ca_file is None:
        return None
    try:
        return endpoint.ca_file.read_bytes()
    except OSError:
        raise UsageError(f"{endpoint.ca_file} can not be read: name a PEM file") from None
