"""The processes of one service."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rpcscope.model import Process
from rpcscope.query.processes import processes
from rpcscope.query.service_names import UNKNOWN, service_of
from rpcscope.store.protocol import Reader


@dataclass(frozen=True, slots=True)
class ServiceProcesses:
    """Some of them, by host."""

    shown: tuple[Process, ...]
    count: int  # of all


def by_service(known: Iterable[Process], from_ns: int) -> dict[str, list[Process]]:
    """Processes by service, each once: those that were still heard of at a time or later."""
    found: dict[str, dict[tuple[int, str], Process]] = {}
    for one in known:
        # 0: it was met in no snapshot of the connections, only in messages.
        if (one.seen_ns or from_ns) >= from_ns and (one.gone_ns or from_ns) >= from_ns:
            found.setdefault(service_of(one.program, one.role) or UNKNOWN, {})[one.pid, one.key] = one
    return {name: list(mine.values()) for name, mine in found.items()}


def service_processes(reader: Reader, service: str, from_ns: int, *, most: int) -> ServiceProcesses:
    """Those of a service that were still heard of at a time or later."""
    mine = by_service(processes(reader).values(), from_ns).get(service, [])
    mine.sort(key=lambda one: (one.host, one.peer, one.pid, one.key))
    return ServiceProcesses(shown=tuple(mine[:most]), count=len(mine))
