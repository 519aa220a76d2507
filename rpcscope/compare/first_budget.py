"""A first budget from a recording: what was seen, with room for what varies."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import Any

from rpcscope.compare.population import KindSide, Population
from rpcscope.query.times import SECOND, percentile

SLOWER = 2.0
LARGER = 1.25
"""Room above what was seen."""


def first_budget(recorded: Population) -> dict[str, Any]:
    """The plain values of a budgets file, by kind; kinds of which nothing was done are left out."""
    return {"budgets": {kind: _budget(side) for kind, side in recorded.kinds.items() if kind and side.done}}


def _budget(side: KindSide) -> dict[str, Any]:
    samples = side.done
    found: dict[str, Any] = {
        "operations_at_least": 1,
        "failed": {"at_most": len(side.failed)},
        "rpcs": {"at_most": max(one.rpcs for one in samples)},
    }
    messages = [one.messages for one in samples if one.messages is not None]
    if messages:
        found["messages"] = {"at_most": max(messages)}
    sizes = [one.bytes for one in samples if one.bytes is not None]
    if sizes:
        found["bytes"] = {"at_most": int(_rounded_up(LARGER * max(sizes)))}
    slow = percentile(sorted(one.duration_ns for one in samples if one.duration_ns is not None), 0.95)
    if slow:
        found["duration_p95_s"] = {"at_most": _rounded_up(SLOWER * slow / SECOND)}
    found["usual"] = sorted({str(method) for one in samples for method in one.methods})
    return found


def _rounded_up(number: float) -> float:
    """To two digits."""
    step = 10.0 ** (floor(log10(number)) - 1) if number > 0 else 1.0
    return round(ceil(number / step) * step, 6)
