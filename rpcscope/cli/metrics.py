"""`record --metrics-port`: /metrics for Prometheus, on this host alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from rpcscope.errors import UsageError
from rpcscope.export.metrics.text import CONTENT_TYPE

_HOST = "127.0.0.1"
_PATIENCE_S = 5.0


@contextmanager
def served(port: int | None, tell: Callable[[], str]) -> Iterator[None]:
    """Serves what `tell` says at /metrics while the block runs; without a port, nothing.

    Raises:
        UsageError: the port is in use or not allowed.
    """
    if port is None:
        yield
        return
    try:
        server = ThreadingHTTPServer((_HOST, port), _handler(tell))
    except OSError as error:
        raise UsageError(f"port {port} of {_HOST} can not be served ({error.strerror}): name another port") from None
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="rpcscope-metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _handler(tell: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE_S
        server_version = "rpcscope"
        sys_version = ""

        def do_GET(self) -> None:
            """One page."""
            if self.path.partition("?")[0] != "/metrics":
                self.send_error(404)
                return
            body = tell().encode()
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Who scrapes is nobody's news."""

    return Handler
