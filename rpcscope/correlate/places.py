"""Where each request in flight is: in the hands of a process, or in a queue; counted as they come and go."""

from __future__ import annotations

from collections.abc import Container
from heapq import heapify, heappop, heappush

from rpcscope.correlate.identity import ProcessState

SPARE = 1024  # deadlines of requests that are over before they are swept out
Place = tuple[ProcessState | None, str, str]
"""Process, queue, method: a process or a queue, never both."""
Key = tuple[int, str, str]
"""The same with Process.id, 0 for none."""


class Places:
    """Requests by Call.id. A step costs the same however many there are."""

    def __init__(self) -> None:
        self._places: dict[int, Place] = {}
        self._groups: dict[Place, dict[int, int]] = {}  # Call.id -> since when, the oldest first
        self._deadlines: list[tuple[int, int]] = []  # heap of time, Call.id

    def put(self, number: int, place: Place, since_ns: int, deadline_ns: int | None) -> None:
        """A request is there from now on, until its deadline at the latest."""
        before = self._places.get(number)
        if before == place:
            return
        self.leave(number)
        self._places[number] = place
        self._groups.setdefault(place, {})[number] = since_ns
        if before is None and deadline_ns is not None:
            heappush(self._deadlines, (deadline_ns, number))

    def leave(self, number: int) -> None:
        """A request is in flight no longer, if it was."""
        place = self._places.pop(number, None)
        if place is None:
            return
        group = self._groups[place]
        del group[number]
        if not group:
            del self._groups[place]

    def expire(self, now_ns: int) -> None:
        """Requests whose deadline was before leave."""
        while self._deadlines and self._deadlines[0][0] < now_ns:
            self.leave(heappop(self._deadlines)[1])
        if len(self._deadlines) > 2 * len(self._places) + SPARE:
            self._deadlines = [entry for entry in self._deadlines if entry[1] in self._places]
            heapify(self._deadlines)

    def first_deadline_ns(self) -> int | None:
        """The first; that of a request which has left meanwhile, too."""
        return self._deadlines[0][0] if self._deadlines else None

    def totals(self, unseen: Container[str]) -> dict[Key, tuple[int, int]]:
        """Count and oldest of each place, but of processes that are gone and queues that are not seen.

        Two connections may have turned out to be one process since their requests were put there.
        """
        totals: dict[Key, tuple[int, int]] = {}
        for (state, queue, method), requests in self._groups.items():
            process = state.root() if state is not None else None
            if queue in unseen or (process is not None and process.gone_ns is not None):
                continue
            key = process.id if process is not None else 0, queue, method
            count, oldest_ns = totals.get(key, (0, 0))
            since_ns = next(iter(requests.values()))
            totals[key] = count + len(requests), min(oldest_ns, since_ns) if count else since_ns
        return totals
