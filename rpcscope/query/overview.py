"""The first page: what each kind of operation costs in a time, how often it happens, how often it fails."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from rpcscope.model import Status
from rpcscope.query.cost import KindCost, kind_cost
from rpcscope.query.operations import Operations, OperationView
from rpcscope.store.protocol import OperationFilter, Reader

STEPS = 24
"""Points of a trend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRow:
    """One kind of operation in a time. `cost` is over those that are whole and over."""

    kind: str
    background: bool
    started: int  # operations that began in the time
    done: int
    failed: int
    running: int
    stuck: int
    unknown: int  # their status is
    trend: tuple[int, ...]  # operations begun in each step
    cost: KindCost

    @property
    def error_share(self) -> float | None:
        """Of those whose end is known, 0 to 1."""
        over = self.done + self.failed
        return self.failed / over if over else None

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        counts = ("started", "done", "failed", "running", "stuck", "unknown")
        cost = self.cost.as_dict()
        del cost["methods"], cost["kind"], cost["failed"]
        return {
            "kind": self.kind or "unattributed",
            "background": self.background,
            **{name: getattr(self, name) for name in counts},
            "error_share": None if self.error_share is None else round(self.error_share, 4),
            "trend": list(self.trend),
            "cost": cost,
        }


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


def overview(reader: Reader, from_ns: int, to_ns: int, *, stuck_after_s: float = 60.0) -> Overview:
    """Operations that began from one time up to another.

    Every operation of the time is read, about 60 microseconds each: of 300,000 that is twenty seconds.
    """
    step_ns = max(1, -(-(to_ns - from_ns) // STEPS))
    groups: dict[tuple[str, bool], list[OperationView]] = {}
    wanted = OperationFilter(since_ns=from_ns, until_ns=to_ns)
    for view in Operations(reader, stuck_after_s=stuck_after_s).find(wanted):
        if view.whole.request_id:
            groups.setdefault((view.whole.kind, view.whole.background), []).append(view)
    rows = [_row(kind, background, views, from_ns, step_ns) for (kind, background), views in groups.items()]
    rows.sort(key=lambda row: (-row.started, row.kind))
    return Overview(
        rows=tuple(row for row in rows if not row.background),
        background=tuple(row for row in rows if row.background),
        step_ns=step_ns,
    )


def _row(kind: str, background: bool, views: list[OperationView], from_ns: int, step_ns: int) -> KindRow:
    stand = Counter(view.status for view in views)
    steps = Counter(max(0, view.whole.started_ns - from_ns) // step_ns for view in views)
    return KindRow(
        kind=kind,
        background=background,
        started=len(views),
        done=stand[Status.DONE],
        failed=stand[Status.FAILED],
        running=stand[Status.RUNNING],
        stuck=stand[Status.STUCK],
        unknown=stand[Status.UNKNOWN],
        trend=tuple(steps[step] for step in range(STEPS)),
        cost=kind_cost(kind, views, []),
    )
