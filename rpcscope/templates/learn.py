"""Learns templates from the operations of a store.

operations -> whole ones -> trees -> of one structure together -> variants -> a template for each kind
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rpcscope.errors import UsageError
from rpcscope.store.protocol import Reader
from rpcscope.templates.chosen import Choice, LeftOut, chosen
from rpcscope.templates.known import Known, known
from rpcscope.templates.model import Provenance, Template
from rpcscope.templates.provenance import provenance
from rpcscope.templates.seen import Seen
from rpcscope.templates.variants import template

RARE = "one of its rarest shapes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What came of it."""

    templates: tuple[Template, ...]  # by kind, then by how many servers
    left_out: LeftOut


def learn(
    reader: Reader, choice: Choice | None = None, told: Provenance | None = None, known_of: Known | None = None
) -> Learned:
    """Templates of the operations that were recorded as a whole; those that failed are variants of their own.

    Args:
        choice: which operations; None: the newest of all kinds.
        told: what the recordings do not say of themselves: release, driver, conditions.
        known_of: the flows; None: what ships of nova.

    Raises:
        UsageError: nothing was recorded that a template can be made of.
    """
    names = known_of or known()
    taken, left_out = chosen(reader, choice or Choice(), names)
    groups: defaultdict[tuple[str, int], list[Seen]] = defaultdict(list)
    for seen in taken:
        groups[seen.kind, seen.instances].append(seen)
    if not groups:
        raise UsageError(_nothing(left_out))
    made = []
    for (kind, _), mine in sorted(groups.items()):
        one, rare = template(mine, names, _provenance(reader, mine, told or Provenance()))
        made.append(one)
        if rare:
            left_out.setdefault(kind, Counter())[RARE] += rare
    return Learned(templates=tuple(made), left_out=left_out)


def _provenance(reader: Reader, mine: Sequence[Seen], told: Provenance) -> Provenance:
    first_ns = min(seen.started_ns for seen in mine)
    return provenance(reader, {number for seen in mine for number in seen.recordings}, first_ns, told)


def _nothing(left_out: LeftOut) -> str:
    whys: Counter[str] = Counter()
    for counts in left_out.values():
        whys.update(counts)
    if not whys:
        return "There is no operation to learn from: record some, or choose other kinds or times."
    told = ", ".join(f"{count:,}: {why}" for why, count in whys.most_common(3))
    return f"No operation was recorded as a whole ({told}): record more, or choose other kinds or times."
