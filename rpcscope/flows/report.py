"""What a flow did: a timeline of events, and tallies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec

from rpcscope.flows.pacer import Paced

MAX_EVENTS = 100_000
"""Kept in a timeline; what comes later is counted only."""
Fact = str | int | float | bool | None


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened in a flow."""

    at_s: float  # of the world
    what: str  # host drained, migration aborted
    host: str = ""
    server: str = ""  # uuid
    facts: dict[str, Fact] = {}  # more about it; numbers carry their unit in the name: took_s


class Story(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A report as a value, to be kept or shown as JSON."""

    flow: str
    started_s: float
    ended_s: float
    tally: dict[str, int]  # how often each event came
    peaks: dict[str, float]  # the most there was at one time
    sums: dict[str, int]  # added up over the flow
    events: tuple[Event, ...]
    left_out: int = 0  # events beyond MAX_EVENTS
    paced: Paced | None = None


class Report:
    """Collects it while the flow runs."""

    def __init__(self, flow: str, now_s: Callable[[], float], listener: Callable[[Event], None] | None = None) -> None:
        """`now_s` is the world's clock; `listener` hears each event as it comes."""
        self._flow, self._now_s, self._listener = flow, now_s, listener
        self._started_s = now_s()
        self._events: list[Event] = []
        self._tally: Counter[str] = Counter()
        self._peaks: dict[str, float] = {}
        self._sums: Counter[str] = Counter()
        self.paced: Paced | None = None

    def note(self, what: str, *, host: str = "", server: str = "", **facts: Fact) -> None:
        """Something happened, now."""
        event = Event(at_s=self._now_s(), what=what, host=host, server=server, facts=facts)
        self._tally[what] += 1
        if len(self._events) < MAX_EVENTS:
            self._events.append(event)
        if self._listener is not None:
            self._listener(event)

    def peak(self, what: str, value: float) -> None:
        """There is so much of it now."""
        if value > self._peaks.get(what, 0.0):
            self._peaks[what] = value

    def add(self, what: str, value: int) -> None:
        """So much more of it."""
        self._sums[what] += value

    def count(self, what: str) -> int:
        """How often it happened."""
        return self._tally[what]

    def story(self) -> Story:
        """All of it so far."""
        return Story(
            flow=self._flow,
            started_s=self._started_s,
            ended_s=self._now_s(),
            tally=dict(sorted(self._tally.items())),
            peaks=dict(sorted(self._peaks.items())),
            sums=dict(sorted(self._sums.items())),
            events=tuple(self._events),
            left_out=self._tally.total() - len(self._events),
            paced=self.paced,
        )
