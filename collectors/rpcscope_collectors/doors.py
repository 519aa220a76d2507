"""Sockets at which taps inside services come in."""

from __future__ import annotations

import contextlib
import errno
import socket
from pathlib import Path

from rpcscope.errors import UsageError
from rpcscope_collectors.listen_address import ListenAddress

_RECEIVE_BUFFER = 8 << 20


def unix_door(address: ListenAddress) -> socket.socket:
    """A datagram socket that never waits. Its file is there while somebody listens.

    Raises:
        UsageError: another recorder listens there, or the path may not be used.
    """
    path = Path(address.path)
    _clear(path)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        door.bind(address.path)
        path.chmod(0o666)  # who may reach its folder may tell: services run as users of their own
    except OSError as error:
        door.close()
        raise UsageError(f"{address} can not be listened on ({error.strerror}): choose another path") from None
    door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    door.setblocking(False)
    return door


def tcp_door(address: ListenAddress) -> socket.socket:
    """A listening socket that never waits.

    Raises:
        UsageError: the port is in use, or may not be used.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        door = socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        raise UsageError(f"{address} can not be listened on ({error.strerror}): choose another port") from None
    door.setblocking(False)
    return door


def _clear(path: Path) -> None:
    """Take away what a recorder that was killed has left. Raises UsageError when one still listens there."""
    if not path.is_socket():
        return
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(str(path))
        except OSError as error:
            if error.errno == errno.ECONNREFUSED:
                path.unlink()
                return
    raise UsageError(f"unix:{path} is in use: another recorder listens there, choose another path")
