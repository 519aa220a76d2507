"""One TCP connection of a tap inside a service: its lines, once it has proved who it is."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from rpcscope_collectors.proof import Challenge
from rpcscope_collectors.tellers import Teller

MAX_LINE = 131_072
PIECE = 65_536
PROOF_S = 10.0


class Gone(Exception):
    """The connection is over, or has to be."""


class Visitor:
    """Reads what there is and never waits."""

    def __init__(self, connection: socket.socket, peer: str, token: str) -> None:
        """Just accepted; greets."""
        self.socket, self.peer = connection, peer
        self.teller: Teller | None = None
        self._challenge: Challenge | None = Challenge(token)
        self._rest = b""
        self._until = time.monotonic() + PROOF_S
        connection.setblocking(False)
        connection.send(self._challenge.greeting)

    @property
    def is_late(self) -> bool:
        """It had time enough to prove who it is."""
        return self._challenge is not None and time.monotonic() > self._until

    def read(self, refused: Callable[[Visitor], None]) -> list[bytes]:
        """Whole lines that came. `refused` is told before a visitor goes that can not prove itself.

        Raises:
            Gone: it hung up, can not prove who it is, or writes lines without an end.
        """
        try:
            piece = self.socket.recv(PIECE)
        except BlockingIOError:
            return []
        except OSError as error:
            raise Gone from error
        if not piece:
            raise Gone
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > MAX_LINE:
            raise Gone
        if self._challenge is not None and lines:
            if not self._challenge.is_met(lines.pop(0)):
                refused(self)
                raise Gone
            self._challenge = None
        return lines
