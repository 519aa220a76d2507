"""Ports for servers of our own."""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path

_LOWEST, _HIGHEST = 10_000, 32_768
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES = 1_000


def free_ports(count: int) -> list[int]:
    """Different ports of 127.0.0.1 that nobody listens on.

    They lie below those that the system gives to clients (ip(7), ip_local_port_range), and are drawn at random:
    neither a client nor another who asks at the same time is likely to take one before its server does.

    Raises:
        OSError: there are none.
    """
    found: list[int] = []
    with contextlib.ExitStack() as held:
        for port in random.sample(range(_LOWEST, _first_of_clients()), _TRIES):
            if len(found) == count:
                break
            one = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                one.bind(("127.0.0.1", port))
                found.append(port)
    if len(found) < count:
        raise OSError("no free ports")
    return found


def free_port() -> int:
    """One of them."""
    return free_ports(1)[0]


def _first_of_clients() -> int:
    try:
        first = int(_RANGE.read_text().split()[0])
    except (OSError, ValueError):
        first = _HIGHEST
    return max(first, _LOWEST + 2 * _TRIES)
