"""What rabbitmq_prometheus tells of its own node: CPU time, work that waits, alarms. Names: run on RabbitMQ 3.10.8.

The CPU time is what the Erlang machine spends outside the kernel. What the kernel does for it (sockets, disk) is told
nowhere: 0.3 to 1.4 times as much again, measured with 2 kB and 100 bytes messages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rpcscope_collectors.wording import shown

_NODE = re.compile(rb'^rabbitmq_identity_info\{[^\n]*?rabbitmq_node="([^"\n]*)"', re.MULTILINE)
_BUSY = b"erlang_vm_statistics_runtime_milliseconds"
_WALL = b"erlang_vm_statistics_wallclock_time_milliseconds"
_WAITING = b"erlang_vm_statistics_run_queues_length"
_CORES = (b"erlang_vm_schedulers_online", b"erlang_vm_logical_processors_available")
_ALARMS = {
    b"rabbitmq_alarms_memory_used_watermark": "memory",
    b"rabbitmq_alarms_free_disk_space_watermark": "disk",
    b"rabbitmq_alarms_file_descriptor_limit": "file descriptors",
}
_WANTED = frozenset((_BUSY, _WALL, _WAITING, *_CORES, *_ALARMS))


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMetrics:
    """One node's counters. None is unknown."""

    node: str
    busy_ms: float | None  # CPU time of all its threads since it started, without the kernel's
    wall_ms: float | None  # time since it started
    cores: float | None  # that it may use
    waiting: float | None = None  # Erlang processes that could run and wait for a core
    alarms: tuple[str, ...] = ()

    def cpu_share(self, before: NodeMetrics | None) -> float | None:
        """At least, of all its cores, between two readings; None when they do not tell, as after a restart."""
        if before is None or before.node != self.node:
            return None
        busy, wall = _difference(self.busy_ms, before.busy_ms), _difference(self.wall_ms, before.wall_ms)
        if busy is None or wall is None or not wall or not self.cores:
            return None
        return min(1.0, busy / wall / self.cores)


def node_metrics(body: bytes) -> NodeMetrics:
    """The counters in a text exposition of the whole node (`/metrics`)."""
    found: dict[bytes, float] = {}
    for line in body.split(b"\n"):
        name, _, number = line.partition(b" ")
        if name in _WANTED:
            try:
                found[name] = float(number)
            except ValueError:  # it says "unknown" of processors in some places
                continue
    node = _NODE.search(body)
    return NodeMetrics(
        node=shown(node[1].decode("utf-8", "replace")) if node else "",
        busy_ms=found.get(_BUSY),
        wall_ms=found.get(_WALL),
        cores=min((found[name] for name in _CORES if found.get(name)), default=None),
        waiting=found.get(_WAITING),
        alarms=tuple(word for name, word in _ALARMS.items() if found.get(name)),
    )


def _difference(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None or now < before else now - before
