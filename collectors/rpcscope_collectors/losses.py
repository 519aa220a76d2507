"""Where in what a tap reads its queue dropped something: between a marker before it and one behind it.

    read ... marker a | dropped | marker b ... read

A queue drops what is next to be delivered. So what it dropped comes behind all that was read before, and before all
that it could not yet deliver at the time: an unread delivery more than the prefetch behind the last acknowledged one,
or a marker that was sent later.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from rpcscope_collectors.tap_queue import TapQueue

_LOOKS = 3  # what the queue drops is found a moment later: so the look before the last is where a loss may begin


class Place(NamedTuple):
    """One delivery, by the connection it came by."""

    queue: TapQueue
    tag: int


@dataclass(slots=True, kw_only=True)
class Loss:
    """Events that the queue dropped between two looks."""

    from_ns: int  # when the last marker was sent that was read before
    found_ns: int  # all of it was sent before
    reach: Place | None  # no delivery behind this one was under way; None: not known
    why: str
    told: Place | None = None  # the marker by which it was told; None: not yet

    def is_before(self, sent_ns: int, place: Place) -> bool:
        """Whether nothing of it can come behind this marker."""
        if sent_ns > self.found_ns:
            return True
        return self.reach is not None and self.reach.queue is place.queue and place.tag > self.reach.tag

    @property
    def is_stored(self) -> bool:
        """The caller has stored what tells of it, or this connection can not say any more."""
        return self.told is not None and (self.told.queue.acked >= self.told.tag or not self.told.queue.is_alive)


class Losses:
    """One thread looks and finds, another reads markers and tells."""

    def __init__(self) -> None:
        """Nothing was lost. Nothing is known of a time before `begin`."""
        self._read: deque[int] = deque([0], maxlen=_LOOKS)
        self._found: deque[Loss] = deque()
        self._since_ns = 0

    def begin(self, since_ns: int) -> None:
        """Of what was dropped before a marker of ours came back is only known that it was sent after this time."""
        self._since_ns = since_ns

    def look(self, read_ns: int) -> None:
        """A look begins; the last marker that came back was sent at `read_ns`, 0 when none has."""
        self._read.append(read_ns)

    def found(self, at_ns: int, reach: Place | None, why: str) -> Loss:
        """This look found that something was dropped."""
        loss = Loss(from_ns=self._read[0] or self._since_ns, found_ns=at_ns, reach=reach, why=why)
        self._found.append(loss)
        return loss

    def due(self, sent_ns: int, place: Place) -> list[Loss]:
        """What lies before this marker, each once."""
        due: list[Loss] = []
        while self._found and self._found[0].is_before(sent_ns, place):
            due.append(self._found.popleft())
            due[-1].told = place
        return due

    def rest(self) -> list[Loss]:
        """What was found and not told: no marker came back behind it."""
        left, self._found = list(self._found), deque()
        return left
