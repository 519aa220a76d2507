"""One socket: bytes in, bytes out, and whether the other side still lives."""

from __future__ import annotations

import asyncio
import math
import socket
from typing import Protocol

from rpcscope.amqp.hub import Hub

HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"
_READ = 65536  # glibc maps larger blocks afresh each time, at seven times the cost of a read
_JOINED = 32  # messages a write: beyond that the joining is all that is left to win
_CHECKED_S = 30.0  # at the latest
_MISSED = 2  # heartbeat times of silence


class Owner(Protocol):
    """Who is told what the socket brings. What it raises is reported to the loop, and ends the link."""

    def received(self, data: bytes) -> None:
        """Bytes, in order."""

    def lost(self, cause: str) -> None:
        """The socket is gone; told once, and not for `drop`. `cause` is a few words for a sentence."""


class Link:
    """A connected socket in a hub."""

    __slots__ = (
        *("_drained", "_hub", "_owner", "_socket", "_stuck", "_waiting"),
        *("_every_s", "_heard", "_patience", "_silent", "_spoke", "slot"),
    )

    def __init__(self, hub: Hub, connected: socket.socket, owner: Owner) -> None:
        self._hub, self._socket = hub, connected
        self._owner: Owner | None = owner  # None once it is over
        self._waiting: list[bytes | bytearray] = []
        self._stuck = False  # the kernel took not all: it tells when there is room
        self._drained: asyncio.Future[None] | None = None
        self._every_s = 0.0
        self._silent = self._patience = 0
        self._heard = self._spoke = False
        self.slot = -1
        hub.add(self, connected.fileno())

    @property
    def unsent(self) -> int:
        """Bytes that the kernel has not taken."""
        return sum(map(len, self._waiting))

    def beat(self, heartbeat_s: int) -> None:
        """Speak at least this often, and hold the other side for dead after twice as long in silence; 0: neither."""
        if heartbeat_s:
            self._every_s = min(heartbeat_s / 2, _CHECKED_S)
            self._patience = math.ceil(_MISSED * heartbeat_s / self._every_s)
            self._hub.wheel.put(self, self._every_s)

    def linger(self, at_most_s: float) -> None:
        """Only the other side's goodbye is waited for, and not longer than this."""
        self._every_s = 0.0
        self._hub.wheel.put(self, at_most_s)

    def send(self, data: bytes | bytearray) -> None:
        """Write when this turn of the loop is over, or when there is enough for one write."""
        waiting = self._waiting
        if not waiting:
            self._hub.flush_soon(self)
        waiting.append(data)
        if len(waiting) >= _JOINED and not self._stuck:
            self._write()

    def flush(self) -> None:
        """Write now what waits."""
        if self._waiting and not self._stuck:
            self._write()

    async def drained(self) -> None:
        """Wait until nothing waits, or the link is over."""
        if self._waiting:
            if self._drained is None:
                self._drained = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._drained)

    def drop(self) -> None:
        """Close the socket at once; what waits is gone."""
        if self._owner is not None:
            self._owner = None
            self._hub.remove(self, self._socket.fileno())
            self._socket.close()
            self._waiting.clear()
            self._wake()

    def readable(self) -> None:
        """The hub says that there is something to read, or that the end has come."""
        owner = self._owner
        try:
            data = self._socket.recv(_READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._fail(error.strerror or error.__class__.__name__)
            return
        if not data or owner is None:
            self._fail("the broker closed it without a word")
            return
        self._heard = True
        try:
            owner.received(data)
        except Exception as error:
            self._hub.report(error)
            self._fail("the handler of its messages failed")

    def writable(self) -> None:
        """The hub says that the kernel has room again."""
        if self._stuck:
            self._stuck = False
            self._hub.also_writing(self._socket.fileno(), False)
            self._write()

    def due(self) -> float:
        """The wheel says that it is time to look: speak if we were silent, and see whether the other side was."""
        if self._owner is None:
            return 0.0
        self._silent = 0 if self._heard else self._silent + 1
        if not self._every_s or self._silent >= self._patience:
            self._fail(f"no heartbeat for {self._silent * self._every_s:.0f} s" if self._every_s else "no goodbye")
            return 0.0
        if not self._spoke and not self._waiting:
            self._waiting.append(HEARTBEAT)
            self._write()
        self._heard = self._spoke = False
        return self._every_s

    def _write(self) -> None:
        waiting = self._waiting
        try:
            while waiting:
                count = len(waiting)
                data = waiting[0] if count == 1 else b"".join(waiting[:_JOINED] if count > _JOINED else waiting)
                sent = self._socket.send(data)
                self._spoke = True
                if sent < len(data):
                    waiting[:_JOINED] = [data[sent:]]
                    break
                del waiting[:_JOINED]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            waiting.clear()  # reading tells why, and what the broker said before
        if waiting:
            self._stuck = True
            self._hub.also_writing(self._socket.fileno(), True)
        elif self._drained is not None:
            self._wake()

    def _wake(self) -> None:
        if self._drained is not None:
            if not self._drained.done():
                self._drained.set_result(None)
            self._drained = None

    def _fail(self, cause: str) -> None:
        owner = self._owner
        self.drop()
        if owner is not None:
            try:
                owner.lost(cause)
            except Exception as error:
                self._hub.report(error)
