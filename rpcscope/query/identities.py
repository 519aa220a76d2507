"""One process that is connected to several brokers has a row in the recording of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from rpcscope.model import Process
from rpcscope.query.ids import recording_of


class Identities:
    """Which rows of other recordings are the same process.

    Known of named processes (management API) alone. Program, pid and address tell. Where a process has another
    address on the way to each broker, program and pid do, unless a row with the address is there too, or both rows
    are known to serve different hosts or topics: in containers every process may be the seventh.
    """

    def __init__(self, processes: Mapping[int, Process]) -> None:
        self._processes = processes
        self._by_name: defaultdict[tuple[str, int], list[tuple[int, Process]]] = defaultdict(list)
        for number, process in processes.items():
            if process.program:
                self._by_name[process.program, process.pid].append((number, process))

    def elsewhere(self, number: int) -> frozenset[int]:
        """Ids of the same process in other recordings."""
        one = self._processes.get(number)
        if one is None or not one.program:
            return frozenset()
        found: set[int] = set()
        by_recording: defaultdict[int, list[tuple[int, Process]]] = defaultdict(list)
        for other, process in self._by_name[one.program, one.pid]:
            if recording_of(other) != recording_of(number):
                by_recording[recording_of(other)].append((other, process))
        for rows in by_recording.values():
            same = {other for other, process in rows if process.peer == one.peer}
            found |= same or {other for other, process in rows if _may_be(one, process)}
        return frozenset(found)


def _may_be(one: Process, other: Process) -> bool:
    """Rows with two addresses may be one process."""
    return all(not a or not b or a == b for a, b in ((one.host, other.host), (one.role, other.role)))
