"""A way to a recorder. The sender's thread alone uses it; it never raises."""

from __future__ import annotations

import errno
import hashlib
import hmac
import json
import os
import socket
from typing import Any

from rpcscope_oslo_tap.settings import Where

SENT, BUSY, GONE, TOO_LONG = "sent", "busy", "gone", "too long"
"""What became of a datagram: taken; not yet, try again; nobody is there; it will never fit."""

PATIENCE_S = 5.0  # for a recorder behind TCP
HASTE_S = 0.2  # when a process is about to end, a slow recorder must not hold it
_MAX_GREETING = 4096
_BUSY = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS)


class UnixChannel:
    """Datagrams to a socket of this host: a recorder that is slow or gone is told at once."""

    def __init__(self, path: str) -> None:
        """Nothing is opened yet."""
        self._path = path
        self._socket: Any = None

    @property
    def is_open(self) -> bool:
        """Whether sending needs no set-up that could take time."""
        return True

    def send(self, datagram: bytes) -> str:
        """Hand it to the kernel."""
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._socket.setblocking(False)
            self._socket.sendto(datagram, self._path)
        except OSError as error:
            if error.errno in _BUSY:
                return BUSY
            return TOO_LONG if error.errno == errno.EMSGSIZE else GONE
        return SENT

    def be_patient(self, seconds: float) -> None:
        """It never takes long."""

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class TcpChannel:
    """A stream of the same lines to another host. Whoever listens proves nothing; we prove to know the token."""

    def __init__(self, where: Where) -> None:
        """Nothing is connected yet."""
        self._where = where
        self._socket: Any = None

    @property
    def is_open(self) -> bool:
        """Whether it is connected."""
        return self._socket is not None

    def send(self, datagram: bytes) -> str:
        """Write it whole; what was written by half is sent again later and known by its number."""
        try:
            if self._socket is None:
                self._connect()
            self._socket.sendall(datagram)
        except (OSError, ValueError):
            self.close()
            return GONE
        return SENT

    def _connect(self) -> None:
        self._socket = socket.create_connection((self._where.host, self._where.port), PATIENCE_S)
        greeting = json.loads(self._line())
        proof = proof_of(token_of(self._where), str(greeting["nonce"]))
        self._socket.sendall(json.dumps({"proof": proof}).encode() + b"\n")

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            piece = self._socket.recv(1)
            if not piece or len(line) > _MAX_GREETING:
                raise ValueError("no greeting of rpcscope")
            line += piece
        return line

    def be_patient(self, seconds: float) -> None:
        """How long a slow recorder may take."""
        if self._socket is not None:
            self._socket.settimeout(seconds)

    def close(self) -> None:
        """Disconnect."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def channel_to(where: Where) -> UnixChannel | TcpChannel:
    """The way to an address."""
    return UnixChannel(where.path) if where.path else TcpChannel(where)


def token_of(where: Where) -> str:
    """The secret shared with the recorder; "" when there is none."""
    if where.token_file:
        with open(where.token_file, encoding="utf-8") as file:  # noqa: PTH123 - green when open is
            return file.read().strip()
    return os.environ.get("RPCSCOPE_TAP_TOKEN", "")


def proof_of(token: str, nonce: str) -> str:
    """That we know the token, for this one connection: the token itself does not travel."""
    return hmac.new(token.encode(), b"rpcscope tap " + nonce.encode(), hashlib.sha256).hexdigest()
