"""Which host a server goes to: the one with the most free memory, as nova's RAM weigher has it.

Of nova's other weighers none is played. Equal hosts are taken in an order drawn by the fleet's seed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush

from rpcscope.fleet.host import Host, HostState

_STALE = 4
"""Entries per host that a heap may have before it is made anew."""
Entry = tuple[int, int, int, str]  # most free memory first, the drawn order, changes of the host by then, its name


class Weigher:
    """Hosts that may get servers, the best first, by zone. A host is put in again whenever it changed."""

    def __init__(self, hosts: Iterable[Host]) -> None:
        self._hosts: dict[str, Host] = {}
        self._heaps: dict[str, list[Entry]] = defaultdict(list)
        self._members: dict[str, list[str]] = defaultdict(list)
        for host in hosts:
            self._hosts[host.name] = host
            self._members[host.zone].append(host.name)
            self._heaps[host.zone].append(_entry(host))
        for heap in self._heaps.values():
            heapify(heap)

    def changed(self, host: Host) -> None:
        """Its memory or state is another one now."""
        host.changes += 1
        heap = self._heaps[host.zone]
        heappush(heap, _entry(host))
        if len(heap) > _STALE * len(self._members[host.zone]) + _STALE:
            heap[:] = [_entry(self._hosts[name]) for name in self._members[host.zone]]
            heapify(heap)

    def best(self, needs_mib: int, zones: Iterable[str] | None, fits: Callable[[Host], bool]) -> Host | None:
        """The best host with that much memory that `fits`, of some zones (None: of all)."""
        found = [self._best_of(zone, needs_mib, fits) for zone in (self._heaps if zones is None else zones)]
        return min(filter(None, found), key=_entry, default=None)

    def _best_of(self, zone: str, needs_mib: int, fits: Callable[[Host], bool]) -> Host | None:
        heap, passed, found = self._heaps.get(zone, []), list[Entry](), None
        while found is None and heap and -heap[0][0] >= needs_mib:
            entry = heappop(heap)
            host = self._hosts[entry[3]]
            if host.changes != entry[2] or host.state is not HostState.UP:
                continue  # it is put in again when it is up
            passed.append(entry)
            found = host if fits(host) else None
        for entry in passed:
            heappush(heap, entry)
        return found


def _entry(host: Host) -> Entry:
    return -host.free_mib, host.order, host.changes, host.name
