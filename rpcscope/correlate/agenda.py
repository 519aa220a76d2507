"""When to look at an open call again: one time for each, the earliest first."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import count

from rpcscope.correlate.calls import CallState

SPARE = 1024  # entries that may be out of date before they are swept out


class Agenda:
    """A heap of calls by time. An entry that a later `put` replaced stays in it until it is swept."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, CallState]] = []
        self._tie = count()

    def __len__(self) -> int:
        """Entries, those out of date too."""
        return len(self._heap)

    def put(self, call: CallState, at_ns: int) -> None:
        """Look at it at that time, and at no other."""
        if call.look_ns != at_ns:
            call.look_ns = at_ns
            heappush(self._heap, (at_ns, next(self._tie), call))

    def put_earlier(self, call: CallState, at_ns: int) -> None:
        """Look at it at that time, unless it is looked at before."""
        if not call.look_ns or at_ns < call.look_ns:
            self.put(call, at_ns)

    def take(self, now_ns: int) -> CallState | None:
        """The next call whose time has come."""
        while self._heap and self._heap[0][0] <= now_ns:
            at_ns, _, call = heappop(self._heap)
            if call.look_ns == at_ns:
                call.look_ns = 0
                return call
        return None

    def sweep(self, open_calls: int) -> None:
        """Drop what is out of date once it is more than half of the heap."""
        if len(self._heap) > 2 * open_calls + SPARE:
            self._heap = [entry for entry in self._heap if entry[2].look_ns == entry[0]]
            heapify(self._heap)
