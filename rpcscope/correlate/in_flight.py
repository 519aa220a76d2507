"""Work in flight over time: requests in each process's hands and in each queue, once a second of the stream's time.

Casts are in it while a process tells that it has them in hand; the bus does not show when it is done with one.
Only what has moved since the last second is looked at again, so that what a thousand waiting calls cost does not grow
with the time that they wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rpcscope.correlate.calls import CallState
from rpcscope.correlate.places import Key, Place, Places
from rpcscope.correlate.testimony import in_hand
from rpcscope.correlate.words import REQUEST
from rpcscope.in_hand import REPEAT_NS, is_waited_for, lies_in, queue_of
from rpcscope.model import InFlightSample
from rpcscope.modes import Sight

SECOND = 1_000_000_000
MAX_QUEUES = 100_000


class InFlight:
    """What is in flight in one recording, as far as the tap sees it."""

    def __init__(self, sight: Sight) -> None:
        self._sees = sight.deliveries and sight.replies
        self._seen_from_ns = 0  # deliveries are seen since
        self._moved: dict[int, CallState] = {}  # since the last sample, by Call.id
        self._places = Places()
        self._unseen: set[str] = set()  # queues whose requests are answered without having been seen delivered
        self._stored: dict[Key, InFlightSample] = {}
        self._new: list[InFlightSample] = []
        self.next_ns = 0  # when the next sample is due; see `tick`

    def moved(self, call: CallState) -> None:
        """A request was published, delivered or answered."""
        if self._sees:
            self._moved[call.id] = call

    def closed(self, call: CallState) -> None:
        """Nothing more is expected of a call, or it was forgotten."""
        if self._moved.pop(call.id, None) is not None:
            self._note_queue(call)
        self._places.leave(call.id)

    def look(self, sight: Sight, at_ns: int, calls: Iterable[CallState]) -> None:
        """The tap sees something else from now on. Who does not see deliveries and replies tells nothing.

        Args:
            calls: all that are open.
        """
        if self._sees and not (sight.deliveries and sight.replies):
            self.tick(at_ns)
            self._moved.clear()
            self._stored.clear()
            self._places = Places()
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
        while (deadline_ns := self._places.first_deadline_ns()) is not None:
            at_ns = deadline_ns - deadline_ns % SECOND + SECOND
            if at_ns >= before_ns:
                return
            yield at_ns

    def _sample(self, at_ns: int) -> None:
        for call in self._moved.values():
            self._note_queue(call)
            self._place(call, at_ns)
        self._moved.clear()
        self._places.expire(at_ns)
        now = self._places.totals(self._unseen)
        for key, (count, oldest_ns) in now.items():
            before = self._stored.get(key)
            changed = before is None or (before.count, before.oldest_ns) != (count, oldest_ns)
            if changed or (before is not None and at_ns - before.at_ns >= REPEAT_NS):
                self._tell(at_ns, key, count, oldest_ns)
        for key in self._stored.keys() - now.keys():
            self._tell(at_ns, key, 0, 0)
            del self._stored[key]

    def _tell(self, at_ns: int, key: Key, count: int, oldest_ns: int) -> None:
        process, queue, method = key
        sample = InFlightSample(
            at_ns=at_ns, process=process, queue=queue, method=method, count=count, oldest_ns=oldest_ns
        )
        self._stored[key] = sample
        self._new.append(sample)

    def _note_queue(self, call: CallState) -> None:
        """Mode control names the queues whose deliveries it is given: of another one it is unknown what lies in it."""
        if call.delivered_ns is not None:
            self._unseen.discard(queue_of(call))
        elif self._was_taken_unseen(call) and len(self._unseen) < MAX_QUEUES:
            self._unseen.add(queue_of(call))

    def _was_taken_unseen(self, call: CallState) -> bool:
        return call.replied_ns is not None and call.is_known and (call.published_ns or 0) >= self._seen_from_ns

    def _place(self, call: CallState, now_ns: int) -> None:
        place = self._place_of(call, now_ns)
        if place is None:
            self._places.leave(call.id)
        else:
            since_ns = call.delivered_ns or call.published_ns or 0
            self._places.put(call.id, place, since_ns, None if in_hand(call) else call.deadline_ns())

    def _place_of(self, call: CallState, now_ns: int) -> Place | None:
        if (teller := in_hand(call)) is not None:
            return teller.process, "", call.method
        if call.kind is not REQUEST or call.blind or not is_waited_for(call, now_ns):
            return None
        if call.delivered_ns is not None:
            return (call.to_process, "", call.method) if call.to_process is not None else None
        queue = lies_in(call, self._seen_from_ns)
        return (None, queue, call.method) if queue else None
