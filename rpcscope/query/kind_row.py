"""One kind of operation in a time: how often, how it ended, what one costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rpcscope.model import Status
from rpcscope.query.cost import KindCost, kind_cost
from rpcscope.query.operations import OperationView

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
    sampled: int | None = None  # `cost` is of so many of the newest; None: of all

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
            "sampled": self.sampled,
        }


def kind_row(
    kind: str,
    background: bool,
    stand: Mapping[Status, int],
    steps: Mapping[int, int],
    views: Sequence[OperationView],
    sampled: int | None = None,
) -> KindRow:
    """The row of a kind: how many have each status and began in each step, and what some of them cost."""
    return KindRow(
        kind=kind,
        background=background,
        started=sum(steps.values()),
        done=stand.get(Status.DONE, 0),
        failed=stand.get(Status.FAILED, 0),
        running=stand.get(Status.RUNNING, 0),
        stuck=stand.get(Status.STUCK, 0),
        unknown=stand.get(Status.UNKNOWN, 0),
        trend=tuple(steps.get(step, 0) for step in range(STEPS)),
        cost=kind_cost(kind, list(views), []),
        sampled=sampled,
    )
