"""Services of a time: who calls whom, how often, how long it takes, how often it fails."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from rpcscope.model import Process
from rpcscope.query.looked import Looked, looked_at
from rpcscope.query.processes import processes
from rpcscope.query.red import Red, grouped, red
from rpcscope.query.service_names import UNKNOWN, ServiceNames
from rpcscope.query.service_processes import by_service
from rpcscope.store.protocol import Reader

_LAST = ("compute", "agent", "volume", "share", "backup")
"""Words in the name of a service that works where the servers, ports and disks are: behind all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service: all processes of one program."""

    name: str
    layer: int  # 0: nobody calls it; 1: it decides; 2: it works on a host
    processes: int | None  # known to have run at some time since the beginning; None: unknown
    hosts: int | None
    received: Red
    sent: Red

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "service": self.name,
            "layer": self.layer,
            "processes": self.processes,
            "hosts": self.hosts,
            "received": self.received.as_dict(),
            "sent": self.sent.as_dict(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What one service asks of another."""

    sender: str
    worker: str
    methods: int  # different ones
    red: Red

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {"from": self.sender, "to": self.worker, "methods": self.methods, **self.red.as_dict()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The graph of a time; the busiest first."""

    services: tuple[Service, ...]
    edges: tuple[Edge, ...]
    looked: Looked


def services(reader: Reader, from_ns: int, to_ns: int) -> Services:
    """Services that sent or took calls from one time up to another."""
    traffic = reader.traffic(from_ns, to_ns)
    known = processes(reader).values()
    names = ServiceNames(known, traffic.sums)
    ends = [(names.sender(one), names.worker(one), one) for one in traffic.sums if one.calls or one.bucket is not None]
    length_ns = to_ns - from_ns
    received = grouped(((worker, one) for _, worker, one in ends), length_ns)
    sent = grouped(((sender, one) for sender, _, one in ends), length_ns)
    methods: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for sender, worker, one in ends:
        methods[sender, worker].add(one.method)
    nothing = red((), length_ns)
    there = by_service(known, from_ns)
    found = [
        _service(name, received.get(name, nothing), sent.get(name, nothing), there.get(name, ()))
        for name in received.keys() | sent.keys()
    ]
    edges = grouped((((sender, worker), one) for sender, worker, one in ends), length_ns)
    return Services(
        services=tuple(sorted(found, key=lambda one: (-one.received.calls - one.sent.calls, one.name))),
        edges=tuple(
            Edge(sender=sender, worker=worker, methods=len(methods[sender, worker]), red=found_red)
            for (sender, worker), found_red in edges.items()
        ),
        looked=looked_at(reader, traffic.windows, from_ns, to_ns),
    )


def _service(name: str, received: Red, sent: Red, there: Collection[Process]) -> Service:
    hosts = {one.host or one.peer for one in there} - {""}
    return Service(
        name=name,
        layer=_layer(name, received),
        processes=len(there) or None if name != UNKNOWN else None,
        hosts=len(hosts) or None if name != UNKNOWN else None,
        received=received,
        sent=sent,
    )


def _layer(name: str, received: Red) -> int:
    if not received.calls:
        return 0
    return 2 if any(word in name for word in _LAST) else 1
