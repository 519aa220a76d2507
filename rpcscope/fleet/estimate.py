"""What a fleet amounts to on a broker before anything is asked of it."""

from __future__ import annotations

from dataclasses import dataclass

from rpcscope.fleet.idle import calls_s, fanouts_s
from rpcscope.fleet.model import FleetFile
from rpcscope.fleet.shapes import COMPUTES, ShapeName, controllers


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The least: under load a process publishes over up to Control.send_pool connections."""

    shape: ShapeName
    hosts: int
    servers: int
    memory_gib: float  # of the hosts
    used_gib: float  # of it, by servers
    connections: int
    channels: int
    consumers: int
    queues: int
    idle_calls_s: float  # periodic tasks, libvirt
    idle_fanouts_s: float

    @property
    def idle_messages_s(self) -> float:
        """Published: requests, their replies, fanouts."""
        return 2 * self.idle_calls_s + self.idle_fanouts_s


def estimate(file: FleetFile, *, shape: ShapeName | None = None) -> Estimate:
    """By arithmetic alone.

    Args:
        file: that was checked.
        shape: of the processes; None: the file's.
    """
    shape, control, stream = shape or file.control.shape, file.control, file.control.profile != "classic"
    hosts = sum(group.count for group in file.hosts)
    servers = sum(group.count * sum(group.servers.values()) for group in file.hosts)
    workers = {"api": control.api, "conductor": control.conductor, "scheduler": control.scheduler}
    processes = [(COMPUTES[shape], hosts)]
    processes += [(one, workers[service]) for service, one in controllers(shape).items()]
    connections = sum(one.connections * count for one, count in processes)
    own = sum(one.private_queues(stream=stream) * count for one, count in processes)
    shared = sum(one.shared_queues(stream=stream) for one, _ in processes)
    return Estimate(
        shape=shape,
        hosts=hosts,
        servers=servers,
        memory_gib=sum(group.count * group.memory_gib for group in file.hosts),
        used_gib=sum(
            group.count * count * file.flavors[flavor].memory_gib
            for group in file.hosts
            for flavor, count in group.servers.items()
        ),
        connections=connections,
        channels=connections,
        consumers=sum(one.consumers * count for one, count in processes),
        queues=own + shared,
        idle_calls_s=hosts * calls_s(servers / hosts) if control.background else 0.0,
        idle_fanouts_s=hosts * fanouts_s() if control.background else 0.0,
    )
