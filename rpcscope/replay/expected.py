"""What a schedule is to put on the bus: what was recorded, as often as it is played."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from rpcscope.query.cost import Spread
from rpcscope.replay.recorded import Past
from rpcscope.replay.schedule import Due
from rpcscope.templates.counts import count, size_of
from rpcscope.templates.model import walk


def expected(past: Past, due: Sequence[Due], speed: float) -> dict[str, Any]:
    """Counts by cause, and durations as recorded, in s of the wall's clock, by kind and method.

    Service times are not played faster, so that `speed` changes nothing but the times at which operations begin.
    """
    times = Counter(one.operation for one in due)
    kinds = _kinds(past, times)
    return {
        "took_s": max((one.at_s / speed + (past.operations[one.operation].took_s or 0.0) for one in due), default=0.0),
        "operations": len(due),
        **{word: sum(one[word] for one in kinds.values()) for word in ("rpcs", "messages", "bytes")},
        "kinds": kinds,
        "methods": _methods(past, times),
    }


def _kinds(past: Past, times: Counter[int]) -> dict[str, dict[str, Any]]:
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    took: defaultdict[str, list[float]] = defaultdict(list)
    for n, often in times.items():
        one = past.operations[n]
        (variant,) = one.template.variants
        tally = count(variant.roots, by_cause=True)
        sums[one.kind].update(
            asked=often, done=0 if variant.error else often, failed=often if variant.error else 0, timed_out=0,
            rpcs=often * tally.rpcs, messages=often * tally.messages, bytes=often * tally.bytes,
        )  # fmt: skip
        if one.took_s is not None and not variant.error:
            took[one.kind] += [one.took_s] * often
    found: dict[str, dict[str, Any]] = {}
    for kind, counts in sorted(sums.items()):
        spread = Spread.of(took[kind])
        found[kind] = {**counts, "took_p50_s": spread.p50, "took_p95_s": spread.p95, "took_max_s": spread.max}
    return found


def _methods(past: Past, times: Counter[int]) -> dict[str, dict[str, int]]:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for n, often in times.items():
        for step in walk(past.operations[n].template.variants[0].roots):
            if step.repeats_s is None:
                messages = often * (2 if step.kind == "call" else 1)
                found[step.method].update(rpcs=often, messages=messages, bytes=often * size_of(step))
    return {method: dict(counts) for method, counts in sorted(found.items())}
