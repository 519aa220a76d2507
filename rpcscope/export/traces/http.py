"""OTLP over HTTP: one connection that is kept, bodies packed by gzip."""

from __future__ import annotations

import http.client
import ssl
import time
import zlib

from rpcscope import __version__
from rpcscope.errors import UsageError
from rpcscope.export.traces.answer import NO_OTLP, Answer, later, refused, taken
from rpcscope.export.traces.endpoint import Endpoint

_AGAIN = frozenset({408, 429, 502, 503, 504})
"""Answers after which a request may be sent again. Source: OTLP/HTTP, and 408, which says so itself."""
_MOST = 1 << 16
"""Bytes of an answer that are read."""
_GZIP = 31
_FAST = 1


class HttpSender:
    """Sends requests to one endpoint. Not for several threads at once."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Connects with the first request."""
        self._endpoint = endpoint
        self._headers = {
            **endpoint.headers,
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "gzip",
            "User-Agent": f"rpcscope/{__version__}",
        }
        self._tls = _trusting(endpoint) if endpoint.secure else None
        self._connection: http.client.HTTPConnection | None = None

    def send(self, body: bytes) -> Answer:
        """One request. It never raises."""
        packed = zlib.compressobj(_FAST, wbits=_GZIP)
        laid = packed.compress(body) + packed.flush()
        is_kept = self._connection is not None
        try:
            try:
                return self._send(laid)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.close()
                if not is_kept:
                    raise
                return self._send(laid)  # a kept connection may be closed by the other end at any time
        except TimeoutError:
            self.close()
            return later(f"did not answer within {self._endpoint.timeout_s:g} s")
        except http.client.HTTPException:
            self.close()
            return refused(NO_OTLP)
        except OSError as error:
            self.close()
            return _unreached(error)

    def close(self) -> None:
        """Disconnects; the next request connects again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, laid: bytes) -> Answer:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request("POST", self._endpoint.path, laid, self._headers)
        response = self._connection.getresponse()
        body = _read(response, time.monotonic() + self._endpoint.timeout_s)
        if not response.isclosed() or response.will_close:
            self.close()
        return _judged(response, body)

    def _connect(self) -> http.client.HTTPConnection:
        to = self._endpoint
        if self._tls is not None:
            return http.client.HTTPSConnection(to.host, to.port, timeout=to.timeout_s, context=self._tls)
        return http.client.HTTPConnection(to.host, to.port, timeout=to.timeout_s)


def _read(response: http.client.HTTPResponse, until_s: float) -> bytes:
    found = b""
    while len(found) < _MOST and (piece := response.read1(_MOST - len(found))):
        found += piece
        if time.monotonic() > until_s:
            raise TimeoutError
    return found


def _judged(response: http.client.HTTPResponse, body: bytes) -> Answer:
    status = response.status
    if status in _AGAIN:
        return later(f"answers {status}", _seconds(response.headers.get("Retry-After")))
    if not 200 <= status < 300:
        return refused(f"answers {status}: is it an OTLP/HTTP endpoint?")
    if len(body) >= _MOST or "html" in response.headers.get("Content-Type", ""):
        return refused(NO_OTLP)
    return taken(body)


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None


def _unreached(error: OSError) -> Answer:
    if isinstance(error, ssl.SSLCertVerificationError):
        return refused("shows a certificate that is not trusted: name its authority's file")
    if isinstance(error, ssl.SSLError):
        return refused("does not speak TLS as it should")
    return later(f"can not be reached ({error.strerror or 'no such host'})")


def _trusting(endpoint: Endpoint) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=endpoint.ca_file)
    except (OSError, ssl.SSLError):
        raise UsageError(f"{endpoint.ca_file} has no certificates: name a PEM file") from None
