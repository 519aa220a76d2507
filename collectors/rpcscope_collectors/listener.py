"""Listens for taps inside services: Unix datagrams of this host, TCP from others.

    oslo-tap -> socket -> listener thread -> take() -> the recorder

One thread reads all sockets. What is not taken fills a bound; then it stops reading, the sockets fill, and the taps
keep and count what they can not send: a slow recorder never slows a service.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from rpcscope.errors import UsageError
from rpcscope.model import Gap, Inside
from rpcscope_collectors.doors import tcp_door, unix_door
from rpcscope_collectors.listen_address import ListenAddress
from rpcscope_collectors.tellers import Teller, Tellers
from rpcscope_collectors.visitor import Gone, Visitor

LIMIT = 50_000  # sightings that wait
MAX_VISITORS = 4096
_DATAGRAM = 131_072
_AT_ONCE = 64  # datagrams of one socket before others get their turn
_LOOK_S = 0.1
_LAST_TURNS = 100
log = logging.getLogger(__name__)


class Listener:
    """`open` it, `take` what was told, `close` it."""

    def __init__(self, addresses: Sequence[ListenAddress], token: str = "", *, limit: int = LIMIT) -> None:
        """Nothing is bound yet.

        Raises:
            UsageError: another host could tell without a token.
        """
        for address in addresses:
            if not address.is_near and not token:
                raise UsageError(
                    f"{address} is open to other hosts: give --listen-token-file, or listen on 127.0.0.1 or unix:/path"
                )
        self._wanted, self._token, self._limit = tuple(addresses), token, limit
        self._waiting: deque[Inside | Gap] = deque()
        self._selector = selectors.DefaultSelector()
        self._doors: list[socket.socket] = []
        self._paths: list[Path] = []
        self._visitors: set[Visitor] = set()
        self._tellers = Tellers()
        self._stopping = False
        self._refused_s = 0.0
        self._thread: threading.Thread | None = None
        self.addresses: tuple[ListenAddress, ...] = ()
        """Where it listens, once open; a port of 0 has become the one that was free."""

    def open(self) -> None:
        """Bind all addresses and begin to listen.

        Raises:
            UsageError: an address is in use, or may not be used.
        """
        try:
            self.addresses = tuple(self._open_door(address) for address in self._wanted)
        except BaseException:
            self.close()
            raise
        self._thread = threading.Thread(target=self._run, name="rpcscope-listener", daemon=True)
        self._thread.start()

    def take(self, most: int) -> list[Inside | Gap]:
        """The oldest of what was told."""
        taken: list[Inside | Gap] = []
        while self._waiting and len(taken) < most:
            taken.append(self._waiting.popleft())
        return taken

    @property
    def backlog(self) -> int:
        """What was told and not taken yet."""
        return len(self._waiting)

    @property
    def rejected(self) -> int:
        """Lines that said nothing."""
        return self._tellers.rejected

    def tellers(self) -> list[Teller]:
        """The processes that tell."""
        return self._tellers.all()

    def close(self) -> None:
        """Stop listening; what was told may still be taken."""
        self._stopping = True
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for visitor in self._visitors:
            visitor.socket.close()
        self._visitors.clear()
        for door in self._doors:
            door.close()
        self._doors.clear()
        self._selector.close()
        for path in self._paths:
            with contextlib.suppress(OSError):
                path.unlink()
        self._paths.clear()

    def __enter__(self) -> Self:
        """Open."""
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        """Closed."""
        self.close()

    def _open_door(self, address: ListenAddress) -> ListenAddress:
        door = unix_door(address) if address.path else tcp_door(address)
        self._doors.append(door)
        if address.path:
            self._paths.append(Path(address.path))
        self._selector.register(door, selectors.EVENT_READ, "datagrams" if address.path else "visitors")
        return address if address.path else ListenAddress("", address.host, door.getsockname()[1])

    # ---------------------------------------------------------------- the thread

    def _run(self) -> None:
        while not self._stopping:
            if len(self._waiting) >= self._limit:
                time.sleep(_LOOK_S)
                continue
            self._turn(_LOOK_S)
            self._show_out()
        for _ in range(_LAST_TURNS):  # what is in the sockets was sent before the end
            if not self._turn(0):
                return

    def _turn(self, wait_s: float) -> int:
        """Read what there is; how many sockets had something."""
        ready = self._selector.select(wait_s)
        for key, _ in ready:
            try:
                self._ready(key)
            except Exception:
                log.exception("What a tap inside a service sent could not be read")
        return len(ready)

    def _ready(self, key: selectors.SelectorKey) -> None:
        what = key.data
        assert isinstance(key.fileobj, socket.socket)  # noqa: S101 - only sockets are registered
        if what == "datagrams":
            self._datagrams(key.fileobj)
        elif what == "visitors":
            self._let_in(key.fileobj)
        else:
            self._hear(what)

    def _datagrams(self, door: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                datagram = door.recv(_DATAGRAM)
            except OSError:
                return
            self._waiting += self._tellers.take(datagram.split(b"\n"), time.time_ns()).sightings

    def _let_in(self, door: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection, peer = door.accept()
            if len(self._visitors) >= MAX_VISITORS:
                connection.close()
                return
            visitor = Visitor(connection, str(peer[0]), self._token)
            self._visitors.add(visitor)
            self._selector.register(connection, selectors.EVENT_READ, visitor)

    def _hear(self, visitor: Visitor) -> None:
        try:
            lines = visitor.read(self._refuse)
        except Gone:
            self._lead_out(visitor)
            return
        taken = self._tellers.take(lines, time.time_ns(), visitor.teller)
        visitor.teller = taken.teller
        self._waiting += taken.sightings

    def _refuse(self, visitor: Visitor) -> None:
        if time.monotonic() > self._refused_s:  # who tries on must not fill the log
            self._refused_s = time.monotonic() + 60
            log.warning("A tap at %s does not know the token: give its service the recorder's", visitor.peer)

    def _show_out(self) -> None:
        for visitor in [one for one in self._visitors if one.is_late]:
            self._lead_out(visitor)

    def _lead_out(self, visitor: Visitor) -> None:
        self._visitors.discard(visitor)
        self._selector.unregister(visitor.socket)
        visitor.socket.close()
