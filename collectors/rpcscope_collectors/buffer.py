"""What the tap has read and its caller has not taken yet, and which deliveries the caller has stored."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from rpcscope.model import LiveSighting
from rpcscope_collectors.tap_queue import TapQueue

_NAP_S = 0.02  # to be woken for each event would cost more than the event


class Buffer:
    """One thread puts, another takes and settles, the first tells the broker what is settled.

    Deliveries belong to the connection they came by, so each is kept with its queue object.
    """

    def __init__(self) -> None:
        """Empty."""
        self._entries: deque[tuple[TapQueue | None, int, LiveSighting | None]] = deque()
        self._handed: tuple[TapQueue, int] | None = None  # the last delivery the caller has
        self._settled: tuple[TapQueue, int] | None = None  # the last delivery the caller has stored

    def __len__(self) -> int:
        """Entries that wait."""
        return len(self._entries)

    def put(self, sighting: LiveSighting | None, queue: TapQueue | None = None, tag: int = 0) -> None:
        """Add a sighting; of a delivery with its queue and tag. None is a delivery that is left out."""
        self._entries.append((queue, tag, sighting))

    def take(self, most: int) -> list[LiveSighting]:
        """The oldest sightings, and with them what is left out behind the last."""
        batch: list[LiveSighting] = []
        while self._entries and (len(batch) < most or self._entries[0][2] is None):
            queue, tag, sighting = self._entries.popleft()
            if queue is not None:
                self._handed = (queue, tag)
            if sighting is not None:
                batch.append(sighting)
        return batch

    def wait(self, most: int, seconds: float, enough: Callable[[], bool]) -> list[LiveSighting]:
        """The same, once there are so many, or it is enough, or the time is over."""
        deadline = time.monotonic() + seconds
        while len(self._entries) < most and not enough() and time.monotonic() < deadline:
            time.sleep(_NAP_S)
        return self.take(most)

    def settle(self) -> None:
        """What was taken so far is stored."""
        self._settled = self._handed
        if self._settled is not None:
            self._settled[0].wake()

    def settled(self, queue: TapQueue) -> int:
        """The last delivery of this connection that is stored; 0: none. Tags of an older one mean nothing to it."""
        return self._settled[1] if self._settled is not None and self._settled[0] is queue else 0
