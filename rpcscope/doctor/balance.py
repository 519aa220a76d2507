"""How evenly the workers of one topic share its requests."""

from __future__ import annotations

from collections import Counter, defaultdict

from rpcscope.doctor.facts import Facts
from rpcscope.doctor.finding import Check, Evidence, Finding, Level, finding
from rpcscope.model import MessageKind

ENOUGH = 50
"""Requests for each worker, on average, before their shares mean anything."""
UNEVEN = 2.0
"""The busiest has so many times what the others have on average."""
_SHARED = (MessageKind.REQUEST, MessageKind.CAST)


def _uneven(facts: Facts) -> Finding | None:
    topics: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    names: dict[str, str] = {}
    for row in facts.signs.rows:
        process = facts.processes.get(row.to_process)
        if process is not None and row.kind in _SHARED and not row.server and row.recording_id in facts.watched:
            topics[facts.brokers.get(row.recording_id, ""), row.topic][process.key] += row.delivered
            names[process.key] = facts.process(row.to_process)
    rows, worst = [], 0.0
    for (_, topic), shares in sorted(topics.items()):
        ratio = _ratio(shares)
        if ratio >= UNEVEN:
            worst = max(worst, ratio)
            rows += [
                Evidence(what=topic, said=f"{names[key]} took {count:,} of {shares.total():,} requests")
                for key, count in shares.most_common()
            ]
    if not rows:
        return None
    return finding(Level.WARN, f"One worker takes {worst:,.1f} times what the others of its topic take", rows)


def _ratio(shares: Counter[str]) -> float:
    """The busiest against the average of the others; 0 where there are too few to tell."""
    if len(shares) < 2 or shares.total() < ENOUGH * len(shares):
        return 0.0
    most = max(shares.values())
    others = (shares.total() - most) / (len(shares) - 1)
    return most / max(others, 1.0)


UNEVEN_SPLIT = Check(
    name="uneven-split",
    find=_uneven,
    why="The broker gives requests in turn, blind to load, so workers share evenly unless some can not take any: the "
    "listener of one is starved, lost its consumer, or began later.",
    todo="Look at the workers with the fewest: are they up, when did they begin, do they consume "
    "(`rpcscope queues TOPIC`)?",
)
