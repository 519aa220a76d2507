"""The HTTP server of the OTLP tap: few threads, short patience, no word about who sends what."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO, cast

from rpcscope.errors import UsageError
from rpcscope_collectors.otlp_answers import Answer, refused
from rpcscope_collectors.otlp_door import Door
from rpcscope_collectors.otlp_requests import Take, answered

MAX_SENDERS = 64  # connections at a time
_PATIENCE_S = 10.0  # for the next bytes
_LONGEST_S = 30.0  # for all of a request
_POLL_S = 0.1


class OtlpServer:
    """Takes spans at a door, from when it is opened until it is closed."""

    def __init__(
        self, door: Door, take: Take, *, turned_away: Callable[[], None], most_senders: int = MAX_SENDERS
    ) -> None:
        """Nobody can connect yet.

        Args:
            take: called by several threads at once.
            turned_away: called when a sender was one too many.
        """
        self._door, self._take, self._most, self._turned_away = door, take, most_senders, turned_away
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Begin. Raises UsageError when the port is in use or not allowed."""
        door = self._door
        try:
            self._server = _Server(door, _handler(door, self._take), self._most, self._turned_away)
        except OSError as error:
            raise UsageError(
                f"port {door.port} of {door.host} can not be listened at ({error.strerror}): name another one"
            ) from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": _POLL_S}, name="rpcscope-otlp", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens; 0 before it is open."""
        return int(self._server.server_address[1]) if self._server is not None else 0

    def close(self) -> None:
        """Nobody can connect any more; what was read is answered. Again does nothing."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.hurry(older_s=0)
        self._server.server_close()
        self._thread = None


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for them; each ends within its patience
    request_queue_size = 128

    def __init__(
        self, door: Door, handler: type[BaseHTTPRequestHandler], most_senders: int, turned_away: Callable[[], None]
    ) -> None:
        if ":" in door.host and ipaddress.ip_address(door.host).version == 6:
            self.address_family = socket.AF_INET6
        self._free = threading.Semaphore(most_senders)
        self._turned_away = turned_away
        self._since: dict[Any, float] = {}  # connection -> when it came
        super().__init__((door.host, door.port), handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own, unless too many are busy."""
        if self._free.acquire(blocking=False):
            self._since[request] = time.monotonic()
            super().process_request(request, client_address)
            return
        self._turned_away()
        answer = refused(429, "too many senders at a time", after_s=1)
        with suppress(OSError):
            request.settimeout(1)
            request.sendall(b"HTTP/1.1 429 Too Many Requests\r\n" + _head(answer) + answer.body)
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Makes room at its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._since.pop(request, None)
            self._free.release()

    def service_actions(self) -> None:
        """Now and then: who sends a byte at a time does not keep others out."""
        self.hurry(older_s=_LONGEST_S)

    def hurry(self, *, older_s: float) -> None:
        """Connections that last longer have sent all that is read of them."""
        before = time.monotonic() - older_s
        for connection, since in list(self._since.items()):
            if since <= before:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who goes away in the middle sends it again."""


def _head(answer: Answer) -> bytes:
    headers = {**answer.headers, "Content-Type": answer.content_type, "Content-Length": len(answer.body)}
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    return "".join([*lines, "Connection: close\r\n\r\n"]).encode()


def _handler(door: Door, take: Take) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _PATIENCE_S
        server_version = "rpcscope"
        sys_version = ""

        def do_POST(self) -> None:
            """One request on each connection: thousands of idle ones would each hold a thread."""
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._say(answered(self.path, headers, cast("BinaryIO", self.rfile), door, take))

        def do_GET(self) -> None:
            """Nothing is shown here."""
            self._say(refused(405, "spans are sent by POST"))

        def _say(self, answer: Answer) -> None:
            self.close_connection = True
            self.send_response(answer.status)
            self.wfile.flush()
            self._headers_buffer.append(_head(answer))  # type: ignore[attr-defined]
            self.flush_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            """Who sends is nobody's news."""

    return Handler
