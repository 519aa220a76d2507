"""The first page: what each kind of operation costs in a time, how often it happens, how often it fails."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from rpcscope.query.kind_counts import counted_rows
from rpcscope.query.kind_row import STEPS, KindRow, kind_row
from rpcscope.query.operations import Operations, OperationView
from rpcscope.store.protocol import OperationFilter, Reader

EXACT = 3_000
"""Parts of operations that are read one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All kinds, the most frequent first; what timers and starts made apart."""

    rows: tuple[KindRow, ...]
    background: tuple[KindRow, ...]
    step_ns: int

    @property
    def stuck(self) -> int:
        """Operations of people that do not move."""
        return sum(row.stuck for row in self.rows)

    @property
    def sampled(self) -> int | None:
        """Of how many of the newest of a kind it is told what one costs; None: of all."""
        return max((row.sampled for row in (*self.rows, *self.background) if row.sampled), default=None)


def overview(reader: Reader, from_ns: int, to_ns: int, *, stuck_after_s: float = 60.0) -> Overview:
    """Operations that began from one time up to another: all are counted.

    Up to EXACT of them are read, 30 microseconds each. Of more the database counts kinds and states, a microsecond or
    two each, and what one costs is told of the newest of each kind; `KindRow.sampled` says so.
    """
    step_ns = max(1, -(-(to_ns - from_ns) // STEPS))
    operations = Operations(reader, stuck_after_s=stuck_after_s)
    if reader.is_more(from_ns, to_ns, EXACT):
        rows = list(counted_rows(reader, operations, from_ns, to_ns, step_ns))
    else:
        rows = _read_rows(operations, from_ns, to_ns, step_ns)
    rows.sort(key=lambda row: (-row.started, row.kind))
    return Overview(
        rows=tuple(row for row in rows if not row.background),
        background=tuple(row for row in rows if row.background),
        step_ns=step_ns,
    )


def _read_rows(operations: Operations, from_ns: int, to_ns: int, step_ns: int) -> list[KindRow]:
    groups: dict[tuple[str, bool], list[OperationView]] = {}
    for view in operations.find(OperationFilter(since_ns=from_ns, until_ns=to_ns)):
        if view.whole.request_id:
            groups.setdefault((view.whole.kind, view.whole.background), []).append(view)
    return [_row(kind, background, views, from_ns, step_ns) for (kind, background), views in groups.items()]


def _row(kind: str, background: bool, views: list[OperationView], from_ns: int, step_ns: int) -> KindRow:
    stand = Counter(view.status for view in views)
    steps = Counter(max(0, view.whole.started_ns - from_ns) // step_ns for view in views)
    return kind_row(kind, background, stand, steps, views)
