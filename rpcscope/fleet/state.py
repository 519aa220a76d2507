"""A running fleet: which server is where, which host may do what, who fits where.

claim -> move     a migration: memory is kept at the destination before the server goes there
claim -> unclaim  one that came to nothing
"""

from __future__ import annotations

from collections.abc import Collection
from hashlib import blake2b
from random import Random

from rpcscope.errors import UsageError
from rpcscope.fleet.host import Host, HostState, Server
from rpcscope.fleet.model import FleetFile
from rpcscope.fleet.names import host_names
from rpcscope.fleet.weigher import Weigher


class Fleet:
    """Hosts by name, servers by uuid. A server is on one host at most, and no host gives more memory than it has."""

    def __init__(self, file: FleetFile) -> None:
        """The hosts of a file without any server; see `of`."""
        self.file = file
        named = list(host_names(file.hosts))
        order = list(range(len(named)))
        Random(file.seed).shuffle(order)  # noqa: S311  # no secret
        self.hosts = {
            name: Host(name=name, group=group, order=order[n], free_mib=int(group.memory_gib * 1024))
            for n, (name, group) in enumerate(named)
        }
        self.servers: dict[str, Server] = {}
        self._made = 0
        self._weigher = Weigher(self.hosts.values())

    @classmethod
    def of(cls, file: FleetFile) -> Fleet:
        """The hosts of a file that was checked, with the servers it puts on them."""
        fleet = cls(file)
        for host in fleet.hosts.values():
            for flavor, count in host.group.servers.items():
                for _ in range(count):
                    fleet.place(fleet.make(flavor).uuid, host.name)
        return fleet

    def host(self, name: str) -> Host:
        """Raises UsageError for a host that is not in the fleet."""
        if name not in self.hosts:
            some = ", ".join(list(self.hosts)[:3])
            raise UsageError(
                f"the fleet has no host {name!r}: name one of its {len(self.hosts):,} hosts, such as {some}"
            )
        return self.hosts[name]

    def make(self, flavor: str) -> Server:
        """A new server that is nowhere yet. Its uuid depends on the seed and on how many were made before.

        Raises UsageError for a flavor that is not in the file.
        """
        if flavor not in self.file.flavors:
            raise UsageError(
                f"the fleet has no flavor {flavor!r}: name one of {', '.join(self.file.flavors) or 'none'}"
            )
        self._made += 1
        uuid = _uuid(self.file.seed, self._made)
        server = Server(uuid=uuid, number=self._made, flavor_name=flavor, flavor=self.file.flavors[flavor])
        self.servers[uuid] = server
        return server

    def fits(self, uuid: str, host: str) -> bool:
        """Whether that host has memory for it and no other server of its role. Says nothing of the host's state."""
        server, there = self.servers[uuid], self.hosts[host]
        return there.free_mib >= server.memory_mib and self._apart(server, there)

    def choose(self, uuid: str, *, zone: str | None = None, without: Collection[str] = ()) -> Host | None:
        """Where the scheduler would put it, by now: up, in that zone, with memory, without another of its role.

        Args:
            uuid: of a server; the host that it is on is left out.
            zone: None: any.
            without: hosts that were tried before.
        """
        server = self.servers[uuid]
        zones = None if zone is None else (zone,)
        return self._weigher.best(
            server.memory_mib,
            zones,
            lambda host: host.name != server.host and host.name not in without and self._apart(server, host),
        )

    def candidates(self, uuid: str, *, zone: str | None = None) -> list[Host]:
        """All that `choose` may give, the best first. Looks at every host."""
        server = self.servers[uuid]
        found = [
            host
            for host in self.hosts.values()
            if host.state is HostState.UP
            and zone in (None, host.zone)
            and host.name != server.host
            and self.fits(uuid, host.name)
        ]
        return sorted(found, key=lambda host: (-host.free_mib, host.order))

    def place(self, uuid: str, host: str) -> None:
        """Put a server that is nowhere on a host; if it claimed memory there, that is used.

        Raises:
            ValueError: it is on a host, or does not fit.
        """
        server = self.servers[uuid]
        if server.host:
            raise ValueError(f"server {uuid} is on {server.host}")
        if server.claimed != host:
            self.claim(uuid, host)
        del self.hosts[host].expected[uuid]
        self.hosts[host].servers[uuid] = server
        server.host, server.claimed = host, ""

    def claim(self, uuid: str, host: str) -> None:
        """Keep memory for it on a host that it is about to go to; what it claimed elsewhere is given back.

        Raises:
            ValueError: it is there already, or does not fit.
        """
        server, there = self.servers[uuid], self.hosts[host]
        if host == server.host or (host != server.claimed and not self.fits(uuid, host)):
            raise ValueError(f"server {uuid} can not go to {host}")
        self.unclaim(uuid)
        there.expected[uuid] = server
        server.claimed = host
        self._take(server, there, 1)

    def unclaim(self, uuid: str) -> None:
        """Give back what it claimed, if anything."""
        server = self.servers[uuid]
        if server.claimed:
            there = self.hosts[server.claimed]
            del there.expected[uuid]
            server.claimed = ""
            self._take(server, there, -1)

    def move(self, uuid: str, host: str) -> None:
        """From the host it is on to another; memory that it claimed there is used.

        Raises:
            ValueError: it does not fit; it is still where it was.
        """
        server = self.servers[uuid]
        if server.claimed != host:
            self.claim(uuid, host)
        self._leave(server)
        self.place(uuid, host)

    def remove(self, uuid: str) -> None:
        """It is deleted."""
        self.unclaim(uuid)
        self._leave(self.servers.pop(uuid))

    def set_state(self, host: str, state: HostState) -> None:
        """What a host may do from now on. Its servers stay on it whatever it is."""
        self.hosts[host].state = state
        self._weigher.changed(self.hosts[host])

    def _apart(self, server: Server, host: Host) -> bool:
        role = server.flavor.role
        own = host.name in (server.host, server.claimed)
        return not role or host.roles[role] <= own

    def _leave(self, server: Server) -> None:
        if server.host:
            there = self.hosts[server.host]
            del there.servers[server.uuid]
            server.host = ""
            self._take(server, there, -1)

    def _take(self, server: Server, host: Host, sign: int) -> None:
        host.free_mib -= sign * server.memory_mib
        if server.flavor.role:
            host.roles[server.flavor.role] += sign
        self._weigher.changed(host)


def _uuid(seed: int, number: int) -> str:
    """Of version 4 by its look, so that rpcscope takes it for a server's."""
    text = blake2b(f"{seed}:{number}".encode(), digest_size=16).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
