"""Who switched tracing on."""

from __future__ import annotations

import os
import secrets
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rpcscope_collectors.notes import Notes, Owned, this_process


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease(Owned):
    """One recorder's word on the tracing of one vhost. No user, no password."""

    vhost: str
    cluster: str
    urls: tuple[str, ...]  # of the management APIs
    nodes: tuple[str, ...]  # which it needs traced
    switched_on: tuple[str, ...]  # which it, or one it took over from, switched on
    name: str  # of the file
    traced_ns: int | None = 0  # when the last of them was seen switched on; None: about to be; 0: none was

    def is_about(self, vhost: str, cluster: str) -> bool:
        """It speaks of this vhost of this broker."""
        return (self.vhost, self.cluster) == (vhost, cluster)

    def with_on(self, *nodes: str) -> Lease:
        """The same with these nodes as switched on."""
        return replace(self, switched_on=tuple(dict.fromkeys((*self.switched_on, *nodes))))

    def without(self, *nodes: str) -> Lease:
        """The same without these nodes as switched on."""
        return replace(self, switched_on=tuple(node for node in self.switched_on if node not in nodes))


def new_lease(vhost: str, cluster: str, urls: tuple[str, ...], nodes: tuple[str, ...]) -> Lease:
    """A lease of this process that has switched nothing on yet."""
    return Lease(
        **this_process(),
        vhost=vhost,
        cluster=cluster,
        urls=urls,
        nodes=nodes,
        switched_on=(),
        name=f"tracing-{os.getpid()}-{secrets.token_hex(4)}.json",
    )


class Leases:
    """The leases in one state folder. Use it inside `locked`."""

    def __init__(self, state_dir: Path | str) -> None:
        """The folder is made when it is first needed."""
        self._notes = Notes(state_dir)

    def locked(self) -> AbstractContextManager[None]:
        """Nobody else changes leases meanwhile. Raises UsageError when the folder can not be used."""
        return self._notes.locked()

    def all(self) -> tuple[Lease, ...]:
        """Every lease, the oldest name first."""
        found = (self.get(name) for name in self._notes.named("tracing-*.json"))
        return tuple(lease for lease in found if lease is not None)

    def get(self, name: str) -> Lease | None:
        """The lease as it is on disk now; None without a name. Raises UsageError for a file that is no lease."""
        content = self._notes.read(name) if name else None
        if content is None:
            return None
        try:
            lists = {key: tuple(map(str, content[key])) for key in ("urls", "nodes", "switched_on")}
            return Lease(**{**content, **lists, "name": name})
        except (TypeError, KeyError) as error:
            raise self._notes.foreign(name) from error

    def write(self, lease: Lease) -> None:
        """Put it on disk; it is there as a whole or not at all, also after a crash of the machine."""
        self._notes.write(lease.name, asdict(lease))

    def remove(self, lease: Lease) -> None:
        """Forget it."""
        self._notes.remove(lease.name)
