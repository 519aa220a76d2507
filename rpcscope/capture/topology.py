"""What of a snapshot is safe: names of known shape, and a client's name when oslo.messaging made it."""

from __future__ import annotations

import re

from rpcscope import safe
from rpcscope.model import Connection, Consumer, Topology

_CLIENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}:[0-9]{1,10}:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ADDRESS = re.compile(r"[0-9a-f.:]{2,45}")


def safe_topology(seen: Topology) -> Topology:
    """The same snapshot with nothing in it that is not known to be safe."""
    return Topology(
        at_ns=seen.at_ns,
        connections=tuple(map(_connection, seen.connections)),
        consumers=tuple(Consumer(connection=safe.peer(c.connection), queue=safe.name(c.queue)) for c in seen.consumers),
        complete=seen.complete,
    )


def _connection(seen: Connection) -> Connection:
    return Connection(
        name=safe.peer(seen.name),
        client_name=seen.client_name if _CLIENT.fullmatch(seen.client_name) else "",
        peer_host=seen.peer_host if _ADDRESS.fullmatch(seen.peer_host) else safe.name(seen.peer_host),
        node=safe.name(seen.node),
    )
