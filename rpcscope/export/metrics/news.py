"""What a batch tells of calls that was not told before: a call is stored open, perhaps again and again, then closed.

So that an RPC counts when it is sent, and not when it is over: a cast may be followed for an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rpcscope.model import Call

MOST_OPEN = 200_000
"""Open calls that are remembered: twice as many as a recorder keeps open."""


class New(NamedTuple):
    """A call, and what is new of it."""

    call: Call
    publishes: int
    request_bytes: int
    waited: bool  # how long it lay in its queue is known now, and was not
    closed: bool  # how it ended is known now


class News:
    """Remembers what was told of open calls. Not for several threads at once."""

    def __init__(self) -> None:
        """Nothing was told yet."""
        self._told: dict[int, tuple[int, int, bool]] = {}

    def know(self, calls: Iterable[Call]) -> None:
        """Calls that were open before anybody counted: what is known of them is not new."""
        for c in calls:
            self._told[c.id] = (c.publishes, c.request_bytes, _waited(c))

    def of(self, opened: Iterable[Call], closed: Iterable[Call], settled: Iterable[int]) -> Iterator[New]:
        """What is new of calls that are open, of calls that are closed; `settled` are no longer open."""
        told = self._told
        for c in opened:
            publishes, size, waited = told.get(c.id, (0, 0, False))
            told[c.id] = (c.publishes, c.request_bytes, waited or _waited(c))
            yield New(c, c.publishes - publishes, c.request_bytes - size, not waited and _waited(c), False)
        for c in closed:
            publishes, size, waited = told.pop(c.id, (0, 0, False)) if told else (0, 0, False)
            yield New(c, c.publishes - publishes, c.request_bytes - size, not waited and _waited(c), True)
        for number in settled:
            told.pop(number, None)
        while len(told) > MOST_OPEN:
            del told[next(iter(told))]


def _waited(c: Call) -> bool:
    return c.delivered_ns is not None and c.published_ns is not None and c.delivered_ns >= c.published_ns
