"""Work in flight over time: requests in each process's hands and in each queue, once a second of the stream's time.

Only what has moved since the last second is looked at again, so that what a thousand waiting calls cost does not grow
with the time that they wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush

from rpcscope.correlate.calls import CallState
from rpcscope.correlate.identity import ProcessState
from rpcscope.correlate.words import REQUEST
from rpcscope.in_hand import REPEAT_NS, is_waited_for, lies_in
from rpcscope.model import InFlightSample
from rpcscope.modes import Sight

SECOND = 1_000_000_000
SPARE = 1024  # deadlines of calls that are over before they are swept out
_Place = tuple[ProcessState | None, str, str]  # process, queue, method
_Key = tuple[int, str, str]


class InFlight:
    """What is in flight in one recording, as far as the tap sees it."""

    def __init__(self, sight: Sight) -> None:
        self._sees = sight.deliveries and sight.replies
        self._seen_from_ns = 0  # deliveries are seen since
        self._moved: dict[int, CallState] = {}  # since the last sample, by Call.id
        self._places: dict[int, _Place] = {}  # of the calls that are counted
        self._groups: dict[_Place, dict[int, int]] = {}  # Call.id -> since when, the oldest first
        self._deadlines: list[tuple[int, int]] = []  # heap of time, Call.id
        self._stored: dict[_Key, InFlightSample] = {}
        self._new: list[InFlightSample] = []
        self.next_ns = 0  # when the next sample is due; see `tick`

    def moved(self, call: CallState) -> None:
        """A request was published, delivered or answered."""
        if self._sees:
            self._moved[call.id] = call

    def closed(self, call: CallState) -> None:
        """Nothing more is expected of a call, or it was forgotten."""
        self._moved.pop(call.id, None)
        if call.id in self._places:
            self._leave(call.id)

    def look(self, sight: Sight, at_ns: int, calls: Iterable[CallState]) -> None:
        """The tap sees something else from now on. Who does not see deliveries and replies tells nothing.

        Args:
            calls: all that are open.
        """
        if self._sees and not (sight.deliveries and sight.replies):
            self.tick(at_ns)
            for table in (self._moved, self._places, self._groups, self._stored):
                table.clear()
            self._deadlines.clear()
            self._sees, self.next_ns = False, 0
        elif not self._sees and sight.deliveries and sight.replies:
            self._sees, self._seen_from_ns = True, at_ns
            self._moved = {call.id: call for call in calls}

    def tick(self, now_ns: int) -> None:
        """The stream's time has come to `next_ns` or later; what happens at `now_ns` itself is not in the sample."""
        if not self._sees or now_ns < self.next_ns:
            return
        whole_ns = now_ns - now_ns % SECOND
        if self.next_ns:
            self._sample(self.next_ns)
            for at_ns in self._ends(whole_ns):
                self._sample(at_ns)
            if whole_ns > self.next_ns:
                self._sample(whole_ns)
        self.next_ns = whole_ns + SECOND

    def take_new(self) -> tuple[InFlightSample, ...]:
        """Samples since the last time."""
        new, self._new = self._new, []
        return tuple(new)

    def _ends(self, before_ns: int) -> Iterator[int]:
        """Whole seconds in which a caller's time has ended, when no event was near."""
        while self._deadlines and (at_ns := self._deadlines[0][0] // SECOND * SECOND + SECOND) < before_ns:
            yield at_ns

    def _sample(self, at_ns: int) -> None:
        for call in self._moved.values():
            self._place(call, at_ns)
        self._moved.clear()
        self._expire(at_ns)
        now = self._totals()
        for key, (count, oldest_ns) in now.items():
            before = self._stored.get(key)
            changed = before is None or (before.count, before.oldest_ns) != (count, oldest_ns)
            if changed or (before is not None and at_ns - before.at_ns >= REPEAT_NS):
                self._tell(at_ns, key, count, oldest_ns)
        for key in self._stored.keys() - now.keys():
            self._tell(at_ns, key, 0, 0)
            del self._stored[key]

    def _tell(self, at_ns: int, key: _Key, count: int, oldest_ns: int) -> None:
        process, queue, method = key
        sample = InFlightSample(
            at_ns=at_ns, process=process, queue=queue, method=method, count=count, oldest_ns=oldest_ns
        )
        self._stored[key] = sample
        self._new.append(sample)

    def _totals(self) -> dict[_Key, tuple[int, int]]:
        """Count and oldest. Two connections may have turned out to be one process since the calls were counted."""
        totals: dict[_Key, tuple[int, int]] = {}
        for (state, queue, method), calls in self._groups.items():
            process = state.root() if state is not None else None
            if process is not None and process.gone_ns is not None:
                continue
            key = process.id if process is not None else 0, queue, method
            count, oldest_ns = totals.get(key, (0, 0))
            since_ns = next(iter(calls.values()))
            totals[key] = count + len(calls), min(oldest_ns, since_ns) if count else since_ns
        return totals

    # ------------------------------------------------------------ calls come and go

    def _place(self, call: CallState, now_ns: int) -> None:
        before, place = self._places.get(call.id), self._place_of(call, now_ns)
        if before == place:
            return
        if before is not None:
            self._leave(call.id)
        if place is None:
            return
        self._places[call.id] = place
        since_ns = call.delivered_ns or call.published_ns or 0
        self._groups.setdefault(place, {})[call.id] = since_ns
        deadline_ns = call.deadline_ns()
        if before is None and deadline_ns is not None:
            heappush(self._deadlines, (deadline_ns, call.id))

    def _place_of(self, call: CallState, now_ns: int) -> _Place | None:
        if call.kind is not REQUEST or call.blind or not is_waited_for(call, now_ns):
            return None
        if call.delivered_ns is not None:
            return (call.to_process, "", call.method) if call.to_process is not None else None
        queue = lies_in(call, self._seen_from_ns)
        return (None, queue, call.method) if queue else None

    def _leave(self, number: int) -> None:
        place = self._places.pop(number)
        group = self._groups[place]
        del group[number]
        if not group:
            del self._groups[place]

    def _expire(self, now_ns: int) -> None:
        while self._deadlines and self._deadlines[0][0] < now_ns:
            _, number = heappop(self._deadlines)
            if number in self._places:
                self._leave(number)
        if len(self._deadlines) > 2 * len(self._places) + SPARE:
            self._deadlines = [entry for entry in self._deadlines if entry[1] in self._places]
            heapify(self._deadlines)
