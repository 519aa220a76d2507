"""The web server around the application: its socket, and an end that waits for nobody who follows."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from rpcscope.errors import UsageError
from rpcscope_web.site import Site

_GRACE_S = 3


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens, so that its port is known before anything is served.

    Raises:
        UsageError: the address is not this host's, or the port is in use or not allowed.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind)
    except OSError as error:
        raise UsageError(f"{host} is no address of this host ({error.strerror}): correct --host") from None
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(128)
    except OSError as error:
        found.close()
        raise UsageError(f"port {port} of {host} can not be served ({error.strerror}): name another --port") from None
    return found


def check_tls(cert: Path, key: Path) -> None:
    """Raises UsageError for a certificate and a key that can not be served; a key with a passphrase is one."""
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key, password=lambda: "")
    except (OSError, ValueError):
        raise UsageError(
            f"{cert} and {key} are no certificate chain with its key in PEM: correct --tls-cert and --tls-key"
        ) from None


def run(
    app: FastAPI,
    listener: socket.socket,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    *,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Serves until a signal says to end; `on_ready` is called once signals are taken and requests answered."""
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, proxy_headers=False, ws="none",
        timeout_graceful_shutdown=_GRACE_S, ssl_certfile=tls_cert, ssl_keyfile=tls_key,
    )  # fmt: skip
    _Server(config, app.state.site, on_ready).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Ends the streams of those who follow at once: they would keep it for ever."""

    def __init__(self, config: uvicorn.Config, site: Site, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._site, self._on_ready = site, on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, and says so."""
        await super().startup(sockets)
        self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGINT and SIGTERM, which is a good end: uvicorn itself would raise the signal again."""
        self._site.pulse.close()
        self.force_exit = self.should_exit
        self.should_exit = True
