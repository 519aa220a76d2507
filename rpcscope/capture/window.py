"""Puts events in order that are out of it by a little."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from rpcscope.capture.clock import Reading
from rpcscope.model import Gap, Observation, Sighting, Topology

WINDOW = 4096  # events held back
WINDOW_BYTES = 64 << 20  # bodies held back, so that large ones do not fill the memory

Timed = tuple[Sighting, Reading | None]
"""With what its clocks showed, where the file tells."""


def in_order(events: Iterable[Timed], window: int = WINDOW, window_bytes: int = WINDOW_BYTES) -> Iterator[Timed]:
    """Events by time and sequence number, as far as the window reaches; equal ones as they came."""
    held: list[tuple[int, int, int, Timed]] = []
    held_bytes = 0
    for number, timed in enumerate(events):
        heapq.heappush(held, (*_rank(timed), number, timed))
        held_bytes += _weight(timed)
        while len(held) > window or (held_bytes > window_bytes and len(held) > 1):
            first = heapq.heappop(held)[3]
            held_bytes -= _weight(first)
            yield first
    while held:
        yield heapq.heappop(held)[3]


def _rank(timed: Timed) -> tuple[int, int]:
    seen = timed[0]
    if isinstance(seen, Observation):
        return seen.at_ns, seen.seq
    return (seen.to_ns if isinstance(seen, Gap) else seen.at_ns), 0


def _weight(timed: Timed) -> int:
    seen = timed[0]
    if isinstance(seen, Observation):
        return len(seen.body)
    return 500 * (len(seen.connections) + len(seen.consumers)) if isinstance(seen, Topology) else 0
