"""Commands in processes that begin with their libraries imported: importing takes most of a short command's time."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

PROGRAM = Path(__file__).with_name("warm_process.py")
PLAIN = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}
_ANSWER = 100  # bytes


class Warm:
    """A process that has imported them and forks for each command; it ends with the one that made it.

    A command has a process, an environment, a folder and files of its own. Only what it would import is there already.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="rpcscope-warm-")
        self._address = str(Path(self._folder.name) / "door")
        self._process = subprocess.Popen(
            [sys.executable, "-P", PROGRAM, self._address], env=PLAIN, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        atexit.register(self._close)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"warm\n"

    def run(
        self, argv: Sequence[str], env: Mapping[str, str], folder: Path, timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        """A command to its end, with nothing on stdin; after `timeout_s` it is killed and TimeoutExpired raised."""
        with tempfile.TemporaryFile() as order, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            order.write(json.dumps({"argv": argv, "env": dict(env), "folder": str(folder)}).encode())
            order.seek(0)
            code = self._ask([file.fileno() for file in (order, out, err)], timeout_s)
            if code is None:
                raise subprocess.TimeoutExpired(argv, timeout_s)
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(argv, code, out.read().decode(), err.read().decode())

    def _ask(self, files: list[int], timeout_s: float) -> int | None:
        """The exit code, negative after a signal; None when it took too long."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
            door.connect(self._address)
            socket.send_fds(door, [b"run"], files)
            pid = int(door.recv(_ANSWER))
            door.settimeout(timeout_s)
            try:
                return int(door.recv(_ANSWER))
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                return None

    def _close(self) -> None:
        self._process.communicate()
        self._folder.cleanup()


@cache
def warm() -> Warm:
    """The one of this process, started when it is first asked for."""
    return Warm()


def is_warm(env: Mapping[str, str]) -> bool:
    """Whether an environment leaves the interpreter as it was started."""
    changed = {key for key, value in env.items() if PLAIN.get(key) != value}
    return not any(key.startswith(("PYTHON", "LC_", "LANG", "LD_")) for key in changed)
