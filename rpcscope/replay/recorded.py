"""What a store has that can be played again: operations with their times, and what timers do meanwhile."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from rpcscope.errors import UsageError
from rpcscope.model import Operation
from rpcscope.query.times import SECOND
from rpcscope.store.protocol import Reader
from rpcscope.templates.chosen import Choice, LeftOut, chosen
from rpcscope.templates.known import Known, known
from rpcscope.templates.model import DEST, SOURCE, Provenance, Template
from rpcscope.templates.provenance import provenance
from rpcscope.templates.seen import Seen
from rpcscope.templates.variants import template

TOPICS = frozenset({"conductor", "scheduler", "compute", "compute-alt"})
"""What the emulated cloud serves."""
ELSEWHERE = "it has messages to services that are not emulated"
_SHORTEST_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One recorded operation, and the template of its single sample."""

    kind: str
    at_s: float  # from the first operation
    took_s: float | None  # from its first message to the last; None: not known
    source: str  # recorded hosts; "": none
    dest: str
    servers: tuple[str, ...]  # recorded uuids
    template: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """All of it."""

    operations: tuple[Played, ...]  # by the time at which they began
    timers: tuple[Template, ...]  # what every host does at intervals
    hosts: tuple[str, ...]  # that the operations were on
    lasts_s: float  # from the first message of an operation to the last, at least a second
    left_out: LeftOut
    provenance: Provenance

    @property
    def templates(self) -> list[Template]:
        """All that is to be played."""
        return [*(one.template for one in self.operations), *self.timers]


def recorded(reader: Reader, choice: Choice | None = None) -> Past:
    """What can be played again of a store.

    Raises:
        UsageError: no operation was recorded as a whole.
    """
    names = known()
    taken, left_out = chosen(reader, choice or Choice(), names)
    mine = [seen for seen in taken if not seen.background and not _leads_elsewhere(seen, left_out)]
    if not mine:
        raise UsageError(_nothing(left_out))
    mine.sort(key=lambda seen: seen.started_ns)
    found = _operations(reader, mine)
    told = _provenance(reader, taken)
    first_ns = mine[0].started_ns
    played = tuple(
        _played(n, seen, found.get(_operation_id(seen)), first_ns, names, told) for n, seen in enumerate(mine)
    )
    return Past(
        operations=played,
        timers=_timers([seen for seen in taken if seen.background], names, told),
        hosts=tuple(sorted({host for one in played for host in (one.source, one.dest) if host})),
        lasts_s=max(_SHORTEST_S, max(one.at_s + (one.took_s or 0.0) for one in played)),
        left_out=left_out,
        provenance=msgspec.structs.replace(told, operations=len(played)),
    )


def _played(n: int, seen: Seen, operation: Operation | None, first_ns: int, names: Known, told: Provenance) -> Played:
    made, _ = template([seen], names, told)
    took_ns = None
    if operation is not None and operation.finished_ns is not None:
        took_ns = max(0, operation.finished_ns - operation.started_ns)
    return Played(
        kind=seen.kind,
        at_s=(seen.started_ns - first_ns) / SECOND,
        took_s=None if took_ns is None else took_ns / SECOND,
        source=_host(seen, SOURCE),
        dest=_host(seen, DEST),
        servers=operation.instances if operation is not None else ("",) * seen.instances,
        template=msgspec.structs.replace(made, kind=f"{seen.kind} {n}"),
    )


def _timers(background: Iterable[Seen], names: Known, told: Provenance) -> tuple[Template, ...]:
    groups: defaultdict[tuple[str, int], list[Seen]] = defaultdict(list)
    for seen in background:
        groups[seen.kind, seen.instances].append(seen)
    made = [template(mine, names, told)[0] for _, mine in sorted(groups.items())]
    return tuple(one for one in made if one.interval_s)


def _leads_elsewhere(seen: Seen, left_out: LeftOut) -> bool:
    if all(node.topic in TOPICS for node in seen.nodes()):
        return False
    left_out.setdefault(seen.kind, Counter())[ELSEWHERE] += 1
    return True


def _operation_id(seen: Seen) -> int:
    return seen.roots[0].call.cause_id


def _operations(reader: Reader, mine: Sequence[Seen]) -> dict[int, Operation]:
    return {one.id: one for one in reader.operations_by_id([_operation_id(seen) for seen in mine])}


def _host(seen: Seen, role: str) -> str:
    return next((host for host, its in seen.hosts.items() if its == role), "")


def _provenance(reader: Reader, taken: Sequence[Seen]) -> Provenance:
    first_ns = min(seen.started_ns for seen in taken)
    return provenance(reader, {number for seen in taken for number in seen.recordings}, first_ns, Provenance())


def _nothing(left_out: LeftOut) -> str:
    whys: Counter[str] = Counter()
    for counts in left_out.values():
        whys.update(counts)
    told = f" ({', '.join(f'{count:,}: {why}' for why, count in whys.most_common(3))})" if whys else ""
    return f"No operation was recorded as a whole{told}: name another recording, or other kinds."
