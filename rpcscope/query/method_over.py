"""One method through a time: rate, errors and durations, step by step."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from rpcscope.model import Flag, Outcome
from rpcscope.query.method_calls import is_error, took, waited, weigh
from rpcscope.query.shares import Percentiles
from rpcscope.query.times import SECOND
from rpcscope.store.protocol import Reader
from rpcscope.store.traffic import MethodCall, MethodTraffic

STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. Rates are calls a second."""

    from_ns: int
    to_ns: int
    fine: float  # rate of those that did not fail as far as known
    expected: float  # failures that the rules expect
    failed: float
    timed_out: float
    total: Percentiles  # nanoseconds
    wait: Percentiles


def method_over(reader: Reader, name: str, from_ns: int, to_ns: int, *, steps: int = STEPS) -> tuple[Step, ...]:
    """Equal steps of a time, none without calls; where not all of it was looked at, those that the store chose."""
    traffic = reader.method_traffic(name, from_ns, to_ns)
    if not traffic.calls:
        return ()
    edges = _edges(traffic, from_ns, to_ns, steps)
    groups: list[list[MethodCall]] = [[] for _ in edges[1:]]
    for call in traffic.calls:
        place = bisect_right(edges, call.first_ns) - 1
        groups[min(max(0, place), len(groups) - 1)].append(call)
    return tuple(_step(start, end, group) for start, end, group in zip(edges, edges[1:], groups, strict=False))


def _edges(traffic: MethodTraffic, from_ns: int, to_ns: int, steps: int) -> list[int]:
    if all(window.weight == 1 for window in traffic.windows):
        count = max(1, min(steps, to_ns - from_ns))
        return [from_ns + (to_ns - from_ns) * place // count for place in range(count + 1)]
    # Each window stands for a piece of the time, and the pieces follow each other.
    edges = [from_ns]
    for window in traffic.windows:
        edges.append(min(to_ns, edges[-1] + max(1, round((window.to_ns - window.from_ns) * window.weight))))
    return edges


def _step(start: int, end: int, calls: Sequence[MethodCall]) -> Step:
    seconds = max(1, end - start) / SECOND
    failed = [call for call in calls if call.outcome == Outcome.FAILED]
    errors = weigh(call for call in failed if is_error(call)) / seconds
    expected = weigh(call for call in failed if call.flags & Flag.EXPECTED_FAILURE) / seconds
    timed_out = weigh(call for call in calls if call.outcome == Outcome.TIMED_OUT) / seconds
    return Step(
        from_ns=start,
        to_ns=end,
        fine=max(0.0, weigh(calls) / seconds - errors - expected - timed_out),
        expected=expected,
        failed=errors,
        timed_out=timed_out,
        total=Percentiles.of(took(call) for call in calls),
        wait=Percentiles.of(waited(call) for call in calls),
    )
