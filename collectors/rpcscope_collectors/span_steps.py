"""Spans between two RPCs: a WSGI request, a database query, whatever else the process traces.

They are not RPCs, but an RPC below one belongs to the handler above it. So their parents are remembered for a while.
"""

from __future__ import annotations

from collections import OrderedDict

MAX_STEPS = 100_000
_DEEPEST = 100


class Steps:
    """The parents of spans that are no RPCs; the oldest are forgotten."""

    def __init__(self, most: int = MAX_STEPS) -> None:
        """None is known."""
        self._parents: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._most = most

    def add(self, trace_id: str, span_id: str, parent_span_id: str) -> None:
        """A span that is no RPC."""
        self._parents[trace_id, span_id] = parent_span_id
        if len(self._parents) > self._most:
            self._parents.popitem(last=False)

    def above(self, trace_id: str, span_id: str) -> str:
        """The nearest span that is not one of these, from this one upwards; "" when there is none."""
        for _ in range(_DEEPEST):
            parent = self._parents.get((trace_id, span_id)) if span_id else None
            if parent is None:
                return span_id
            span_id = parent
        return ""
