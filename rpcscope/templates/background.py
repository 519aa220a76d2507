"""Cuts what timers started into runs of their tasks, and tells how often each runs.

request id of one tick:  InstanceList.get_by_filters, Instance.save, Instance.save, MigrationList.get_by_filters
runs:                    run_pending_deletes -------------------------------------  cleanup_incomplete_migrations
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median

from rpcscope.query.ids import recording_of
from rpcscope.templates.known import Known, inner
from rpcscope.templates.tree import Node, published

FEWEST_INTERVALS = 5
"""Of fewer, nova's own interval is taken."""
_SECOND = 1e9
_DIGITS = 1  # a tenth of a second: timers are not more exact


def runs(roots: Sequence[Node], known: Known) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """Kind and roots of each run, in the order of time.

    Args:
        roots: of one request id; what belongs to no task known is left out.
    """
    by_process: defaultdict[int, list[Node]] = defaultdict(list)
    for root in roots:
        by_process[root.call.from_process].append(root)
    patterns = [(task.kind, task.pattern()) for task in known.task]
    for mine in by_process.values():
        text = "".join(f"{inner(root.call.method)}\n" for root in mine)
        starts = [0, *(place + 1 for place, one in enumerate(text) if one == "\n")]
        at = 0
        while at < len(mine):
            kind, end = max(
                ((kind, found.end()) for kind, pattern in patterns if (found := pattern.match(text, starts[at]))),
                key=lambda one: one[1],
                default=("", starts[at + 1]),
            )
            upto = starts.index(end)
            if kind:
                yield kind, tuple(mine[at:upto])
            at = upto


def interval_s(kind: str, roots: Sequence[Node], known: Known) -> float | None:
    """How often a task runs in a process: the median of what was recorded, or nova's default where that is too little.

    Args:
        roots: the first of each run.
    """
    starts: Mapping[tuple[int, int], list[int]] = defaultdict(list)
    for root in roots:  # between two recordings there may be runs that nobody saw
        starts[recording_of(root.call.id), root.call.from_process].append(published(root.call))
    between = [after - before for mine in starts.values() for before, after in pairwise(sorted(mine))]
    if len(between) < FEWEST_INTERVALS:
        return known.interval_s(kind)
    return round(median(between) / _SECOND, _DIGITS) or known.interval_s(kind)
