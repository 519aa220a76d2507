"""A host and a server of a running fleet."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil

from rpcscope.fleet.day import demand
from rpcscope.fleet.model import Flavor, Hosts
from rpcscope.physics import steal


class HostState(StrEnum):
    """What a host may do."""

    STOCK = "stock"  # registered, not part of the cloud
    UP = "up"
    DISABLED = "disabled"  # its servers run; it gets no new ones
    MAINTENANCE = "maintenance"  # out of service on purpose: being rebooted
    DOWN = "down"  # dead


@dataclass(slots=True, kw_only=True, eq=False)
class Server:
    """A virtual machine. `host` is "" while it is nowhere."""

    uuid: str
    number: int  # from 1, in the order of making
    flavor_name: str
    flavor: Flavor
    host: str = ""
    claimed: str = ""  # host that keeps memory for it: where it is about to go

    @property
    def memory_mib(self) -> int:
        """MiB of its flavor, rounded up: nova counts in whole ones."""
        return ceil(self.flavor.memory_gib * 1024)


@dataclass(slots=True, kw_only=True, eq=False)
class Host:
    """A compute host. Memory in MiB."""

    name: str
    group: Hosts  # of the file
    order: int  # by which hosts with equal memory are chosen
    state: HostState = HostState.UP
    free_mib: int = 0
    servers: dict[str, Server] = field(default_factory=dict)  # by uuid, in the order of arrival
    expected: dict[str, Server] = field(default_factory=dict)  # that have claimed memory here
    roles: Counter[str] = field(default_factory=Counter)  # of both
    changes: int = 0  # of its memory or state, counted

    @property
    def zone(self) -> str:
        """Availability zone."""
        return self.group.zone

    @property
    def rack(self) -> str:
        """Rack; "" when the file names none."""
        return self.group.rack

    @property
    def memory_mib(self) -> int:
        """All that servers may have."""
        return int(self.group.memory_gib * 1024)

    @property
    def nic(self) -> float:
        """Bytes a second, in each direction."""
        return self.group.nic_gbit_s * 1e9 / 8

    def runnable(self, at_s: float) -> float:
        """vCPUs that want to run at that time (s from a midnight), as a number of cores."""
        return sum(demand(one.flavor, at_s) for one in self.servers.values())

    def steal(self, at_s: float) -> float:
        """The share of CPU that its servers do not get, 0 to 1."""
        return steal(cores=self.group.cores, runnable=self.runnable(at_s))

    def load(self, at_s: float) -> float:
        """Cores in use over cores, 0 to 1."""
        return min(1.0, self.runnable(at_s) / self.group.cores)
