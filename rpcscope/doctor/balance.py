"""How evenly the workers of one topic share its requests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from rpcscope.doctor.facts import Facts
from rpcscope.doctor.finding import Check, Evidence, Finding, Level, Subject, finding
from rpcscope.model import MessageKind

ENOUGH = 50
"""Requests for each worker, on average, before their shares mean anything."""
UNEVEN = 2.0
"""The busiest has so many times what the others have on average."""
NEARLY = 0.8
"""Share of the time that a worker must have worked in to be compared."""
_SHARED = (MessageKind.REQUEST, MessageKind.CAST)


@dataclass
class _Worker:
    name: str
    first_ns: int
    last_ns: int
    took: int = 0


def _uneven(facts: Facts) -> Finding | None:
    rows, worst = [], 0.0
    for (_, topic), workers in sorted(_workers(facts).items()):
        compared = _together(workers.values())
        ratio = _ratio([one.took for one in compared])
        if ratio >= UNEVEN:
            worst = max(worst, ratio)
            whole = sum(one.took for one in compared)
            rows += [
                Evidence(what=topic, said=f"{one.name} took {one.took:,} of {whole:,} requests", subject=Subject.QUEUE)
                for one in sorted(compared, key=lambda one: -one.took)
            ]
    if not rows:
        return None
    return finding(Level.WARN, f"One worker takes {worst:,.1f} times what the others of its topic take", rows)


def _workers(facts: Facts) -> Mapping[tuple[str, str], Mapping[str, _Worker]]:
    """By broker and shared topic, then by `Process.key`: a process has an id in each recording."""
    found: defaultdict[tuple[str, str], dict[str, _Worker]] = defaultdict(dict)
    for row in facts.signs.rows:
        process = facts.processes.get(row.to_process)
        if process is None or row.kind not in _SHARED or row.server or row.recording_id not in facts.watched:
            continue
        workers = found[facts.brokers.get(row.recording_id, ""), row.topic]
        name = facts.process(row.to_process)
        one = workers.setdefault(process.key, _Worker(name, row.first_ns, row.last_ns))
        one.took += row.delivered
        one.first_ns, one.last_ns = min(one.first_ns, row.first_ns), max(one.last_ns, row.last_ns)
    return found


def _together(workers: Collection[_Worker]) -> list[_Worker]:
    """Those that worked nearly all of the time: one that began later has less for a good reason."""
    first, last = min(one.first_ns for one in workers), max(one.last_ns for one in workers)
    return [one for one in workers if one.last_ns - one.first_ns >= NEARLY * (last - first)]


def _ratio(took: Sequence[int]) -> float:
    """The busiest against the average of the others; 0 where there are too few to tell."""
    if len(took) < 2 or sum(took) < ENOUGH * len(took):
        return 0.0
    others = (sum(took) - max(took)) / (len(took) - 1)
    return max(took) / max(others, 1.0)


UNEVEN_SPLIT = Check(
    name="uneven-split",
    find=_uneven,
    why="The broker gives requests in turn, blind to load, so workers share evenly unless some can not take theirs: "
    "their listener is starved, or they consume with fewer connections.",
    todo="Look at the workers with the fewest: are they at 100 % of a core, swapping, blocked in native code?",
)
