"""The same step in many operations: its way from the root, whatever came before or after it in time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rpcscope.model import RPCS, Call

DEEPEST = 40
"""Steps below these are left out: nova's trees end after a handful."""


class Step(NamedTuple):
    """One call below another."""

    method: str
    role: str  # topic that it was sent to: conductor, compute
    place: int  # among those of this method and role below the same call, from 1


Path = tuple[Step, ...]
"""Steps from a root down."""


def aligned(calls: Sequence[Call]) -> dict[Path, Call]:
    """The calls, casts and fanouts of one operation by their paths, parents before children.

    Args:
        calls: those that it caused, by time. Unique ids may form a ring: that of a hostile recording is left out.
    """
    children: defaultdict[str, list[Call]] = defaultdict(list)
    known = {call.unique_id for call in calls if call.kind in RPCS}
    for call in calls:
        if call.kind in RPCS:
            children[call.parent_unique_id if call.parent_unique_id in known else ""].append(call)
    return dict(_below((), "", children))


def _below(above: Path, unique_id: str, children: dict[str, list[Call]]) -> Iterator[tuple[Path, Call]]:
    places: Counter[tuple[str, str]] = Counter()
    for call in children.get(unique_id, ()):
        role = call.topic.partition(".")[0]
        places[call.method, role] += 1
        path = (*above, Step(call.method, role, places[call.method, role]))
        yield path, call
        if len(path) < DEEPEST and call.unique_id:
            yield from _below(path, call.unique_id, children)
