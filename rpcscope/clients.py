"""Which process is behind a connection, as its client and the broker say."""

from __future__ import annotations

from dataclasses import dataclass

from rpcscope import safe
from rpcscope.model import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A process as the management API shows it; names may be stored."""

    peer: str
    program: str
    pid: int

    @property
    def key(self) -> str:
        """`model.Process.key`."""
        return f"{self.peer}:{self.program}:{self.pid}"


def client_of(connection: Connection) -> Client | None:
    """Who is behind a connection; None when its client does not say program:pid."""
    program, _, rest = connection.client_name.partition(":")
    pid = rest.partition(":")[0]
    program = safe.name(program)
    if not pid.isascii() or not pid.isdigit() or len(pid) > 9 or not program:
        return None
    return Client(peer=safe.name(connection.peer_host), program=program, pid=int(pid))
