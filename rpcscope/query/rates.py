"""Messages by the service that published them, over a time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from rpcscope.model import Process
from rpcscope.query.processes import processes
from rpcscope.store.protocol import Reader

STEPS = 120
SERIES = 7
UNKNOWN = "unknown"
OTHERS = "others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One service; `counts` are messages in each step."""

    service: str
    counts: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Services, the one with the most messages first; the small ones together last."""

    from_ns: int
    step_ns: int
    steps: int
    series: tuple[Series, ...]
    share: float  # of the time that was looked at; below 1 the counts are estimates


def rates(reader: Reader, from_ns: int, to_ns: int, *, steps: int = STEPS) -> Rates:
    """Publishes from one time up to another. Unknown is who has no name of a program and no queue of a service."""
    step_ns = max(1, -(-(to_ns - from_ns) // steps))
    known = processes(reader)
    found: defaultdict[str, list[float]] = defaultdict(lambda: [0] * steps)
    published = reader.publish_counts(from_ns, to_ns, step_ns)
    for one in published.counts:
        # A reply may have been seen before its request.
        found[_service(known.get(one.process))][min(max(0, one.step), steps - 1)] += one.messages
    ordered = sorted(found.items(), key=lambda item: (-sum(item[1]), item[0]))
    large, small = ordered[:SERIES], ordered[SERIES:]
    if small:
        large.append((OTHERS, [sum(column) for column in zip(*(counts for _, counts in small), strict=True)]))
    series = tuple(Series(service=name, counts=tuple(counts)) for name, counts in large)
    return Rates(from_ns=from_ns, step_ns=step_ns, steps=steps, series=series, share=published.share)


def _service(process: Process | None) -> str:
    return (process.program or process.role or UNKNOWN) if process else UNKNOWN
