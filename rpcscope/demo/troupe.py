"""A service of the demonstration as the player holds it: its process, and the lines between them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO

import msgspec

from rpcscope.demo.control import Order, Report, Setup

_END_S = 15.0


class Member:
    """One running service."""

    def __init__(self, program: str, setup: Setup, heard: Callable[[str, Report | None], None], log: IO[bytes]) -> None:
        """Start it. `heard` gets its name and each report on a thread, and None when it ended; `log` its stderr."""
        self.role, self.host, self.topics = setup.role, setup.host, setup.topics
        self.name = f"{program} on {setup.host}"
        self._heard = heard
        self._lock = threading.Lock()
        self._process = subprocess.Popen(  # noqa: S603 - our own module in our own interpreter
            [sys.executable, "-m", "rpcscope.demo.service", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # an interrupt at the terminal is for the player, which ends us in order
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.tell(setup)

    @property
    def pid(self) -> int:
        """Of its process, as in the names of its connections."""
        return self._process.pid

    def tell(self, order: Order | Setup) -> None:
        """Give an order. One that has ended hears nothing; `heard` has told so."""
        assert self._process.stdin is not None  # noqa: S101 - for the type checker: it is a pipe
        with self._lock, contextlib.suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(msgspec.json.encode(order) + b"\n")
            self._process.stdin.flush()

    def dismiss(self) -> None:
        """Let it end; `close` waits for it."""
        assert self._process.stdin is not None  # noqa: S101 - for the type checker: it is a pipe
        with self._lock, contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def close(self) -> None:
        """Wait for its end; one that does not come to it is killed."""
        self.dismiss()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        for line in self._process.stdout:
            self._heard(self.name, msgspec.json.decode(line, type=Report))
        self._heard(self.name, None)
