"""What the broker delivers to the tap, made into sightings: stamped, counted, each publish once."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rpcscope.model import Gap, GapCause, LiveSighting, Observation, TapPhase
from rpcscope_collectors.as_traced import as_traced
from rpcscope_collectors.buffer import Buffer
from rpcscope_collectors.losses import Loss, Losses, Place
from rpcscope_collectors.markers import Hole, MarkerWatch
from rpcscope_collectors.tap_queue import FIREHOSE, TapQueue
from rpcscope_collectors.twins import Twins

_PUBLISH = "publish."
_COUNTED = 1000  # markers


class Intake:
    """For the reader's thread alone; before it runs, for the thread that opens the tap."""

    def __init__(self, vhost: str, buffer: Buffer, published: Callable[[int, int], int | None]) -> None:
        """`published` tells how many messages the vhost got between two times, or None."""
        self.watch, self.twins, self.losses = MarkerWatch(), Twins(), Losses()
        self.marked_ns = 0  # when the last marker was sent of which all before is in the buffer
        self._vhost, self._buffer, self._published_between = vhost, buffer, published
        self._phases: deque[tuple[int, str, str, bool]] = deque()  # announced, not yet reached
        self._is_whole = False  # every publish since the last marker was to be seen
        self._seq = self._last_ns = self._published = self._told_ns = 0
        self._counted: deque[tuple[int, int]] = deque(maxlen=_COUNTED)  # when a marker was sent, publishes before it

    def take(self, queue: TapQueue, deliver: Any, properties: Any, body: bytes) -> None:
        """One delivery of the tap's queue."""
        at_ns = self._now()
        traced = deliver.exchange == FIREHOSE
        exchange, routing_key, headers = as_traced(deliver, properties, self._vhost)
        is_publish = bool(exchange) and routing_key.startswith(_PUBLISH)
        if is_publish and self.twins.is_copy(routing_key, body, deliver.delivery_tag, traced=traced):
            self._buffer.put(None, queue, deliver.delivery_tag)
            return
        self._seq += 1
        if not exchange:
            self._marker(headers, at_ns, Place(queue, deliver.delivery_tag))
        self._published += is_publish
        seen = Observation(
            at_ns=at_ns,
            exchange=exchange,
            routing_key=routing_key,
            headers=headers,
            body=body,
            size=len(body),
            redelivered=deliver.redelivered,
            seq=self._seq,
        )
        self._buffer.put(seen, queue, deliver.delivery_tag)
        self.marked_ns = self.watch.sent_ns  # last, for whoever sees it to find all before it in the buffer

    def hand_on(self, sighting: LiveSighting) -> None:
        """Add what is no delivery; for any thread."""
        self._buffer.put(sighting)

    def announce(self, mode: str, why: str, since_ns: int, *, is_whole: bool) -> None:
        """The view is another since then: its phase begins behind what the queue held at that time.

        That is where the first marker comes that was sent later. With `since_ns` of 0 it begins here.
        """
        self._is_whole = False
        self._phases.append((since_ns, mode, why, is_whole))
        self._begin_phases(0, self._now())

    def begin_phases(self) -> None:
        """No marker can be sent: what is announced begins here."""
        self._begin_phases(time.time_ns(), self._now())

    def tell_rest(self) -> None:
        """What was dropped behind the last marker that came back."""
        if rest := self.losses.rest():
            self._dropped(None, rest, rest[-1].found_ns)

    def _now(self) -> int:
        self._last_ns = max(time.time_ns(), self._last_ns)
        return self._last_ns

    def _marker(self, headers: Mapping[str, Any], at_ns: int, place: Place) -> None:
        known_ns = self.watch.sent_ns
        hole = self.watch.see(headers, at_ns)
        sent_ns = self.watch.sent_ns
        losses = self.losses.due(sent_ns, place) if sent_ns > known_ns else []
        if hole is not None or losses:
            self._dropped(hole, losses, sent_ns)
        if sent_ns > known_ns:
            self._counted.append((sent_ns, self._published))
        self.twins.marker(sent_ns)
        self._begin_phases(sent_ns, at_ns)

    def _dropped(self, hole: Hole | None, losses: Sequence[Loss], to_ns: int) -> None:
        """One gap of what is missing up to this marker, however many proofs there are of it."""
        begins = [one.from_ns for one in losses]
        markers = 0
        if hole is not None:
            begins.append(hole.from_ns)
            markers = hole.markers
        from_ns = max(min(begins), self._told_ns)
        self._told_ns = to_ns
        why = [one.why for one in losses[-1:]] + [f"{markers} markers missing"] * bool(markers)
        estimate = self._missed(from_ns, to_ns, markers)
        self.hand_on(Gap(from_ns=from_ns, to_ns=to_ns, cause=GapCause.DROPPED, estimate=estimate, note=", ".join(why)))

    def _missed(self, from_ns: int, to_ns: int, markers: int) -> int | None:
        """Publishes that did not come between two markers."""
        before = next((count for sent_ns, count in reversed(self._counted) if sent_ns <= from_ns), None)
        published = self._published_between(from_ns, to_ns) if self._is_whole else None
        if before is None or published is None:
            return None
        # Our own markers were published too. Nothing left over means that the counter is too old to tell.
        missed = published - (self._published - before) - markers
        return missed if missed > 0 else None

    def _begin_phases(self, sent_ns: int, at_ns: int) -> None:
        while self._phases and self._phases[0][0] <= sent_ns:
            _, mode, why, self._is_whole = self._phases.popleft()
            self.hand_on(TapPhase(at_ns=at_ns, mode=mode, why=why))
