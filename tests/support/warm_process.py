"""Imports what commands import, and forks for each command that it is asked for; see warm.py.

warm.py -- "run", files of order, stdout, stderr --> this -- fork --> who waits -- fork --> the command
        <---------------- pid, then exit code -----------------------/
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from typing import Any

LIBRARIES = (
    *("alembic.command", "msgspec.json", "orjson", "psycopg", "pymysql", "rich.table", "sqlalchemy", "zstandard"),
    *("rpcscope.cli", "rpcscope.cli.files", "rpcscope.cli.look", "rpcscope.cli.database", "rpcscope.store"),
)
"""None of them reads the environment or starts a thread while it is imported."""
_INTERRUPT = signal.getsignal(signal.SIGINT)


def commands(door: socket.socket) -> dict[str, Any] | None:
    """The order of a command, in its own process; None in the one that forks, once nobody will ask any more."""
    while door in select.select([door, sys.stdin], [], [])[0]:
        asker, _ = door.accept()
        with asker:
            if os.fork() == 0:
                door.close()
                return begun(asker)
    return None


def begun(asker: socket.socket) -> dict[str, Any]:
    """Returns in the command alone; who waits for it never does."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, files, _, _ = socket.recv_fds(asker, 100, 3)
    pid = os.fork()
    if pid:
        for file in files:
            os.close(file)
        asker.send(str(pid).encode())
        asker.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
        os._exit(0)
    with os.fdopen(files[0]) as text:
        order: dict[str, Any] = json.load(text)
    become(order, files[1:])
    return order


def become(order: dict[str, Any], outputs: list[int]) -> None:
    """This process gets what the order says, as if it had been started so."""
    for theirs, ours in zip((os.open(os.devnull, os.O_RDONLY), *outputs), range(3), strict=True):
        os.dup2(theirs, ours)
        os.close(theirs)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    signal.signal(signal.SIGINT, _INTERRUPT)
    sys.argv[:] = order["argv"]


def main() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who runs the tests ends this by closing its stdin
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(sys.argv[1])
        door.listen(64)
        print("warm", flush=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        order = commands(door)
    if order is not None:
        sys.modules["rpcscope.cli"].main()


main()
