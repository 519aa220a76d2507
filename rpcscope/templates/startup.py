"""Puts together what a starting service does under several request ids.

ping, CellMappingList.get_all, Service.get_by_host_and_binary, ...: each an operation, all one start of a compute.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

from rpcscope.templates.seen import Seen
from rpcscope.templates.tree import published

PREFIX = "startup:"
_PAUSE_NS = 60_000_000_000
"""Longer than a service waits while it starts."""


def joined(several: Iterable[Seen]) -> list[Seen]:
    """The same, with one operation `startup:compute` for each start of a compute, and so on."""
    kept: list[Seen] = []
    parts: defaultdict[tuple[int, int], list[Seen]] = defaultdict(list)
    for seen in several:
        if seen.kind.startswith(PREFIX):
            parts[seen.recordings[0], seen.roots[0].call.from_process].append(seen)
        else:
            kept.append(seen)
    for mine in parts.values():
        kept += (_one(start) for start in _starts(sorted(mine, key=lambda seen: seen.started_ns)))
    return kept


def _starts(mine: list[Seen]) -> Iterator[list[Seen]]:
    """Those of one process, cut where it was started anew."""
    cuts = [
        place for place, (one, other) in enumerate(pairwise(mine), 1) if other.started_ns - one.started_ns > _PAUSE_NS
    ]
    for begin, end in pairwise([0, *cuts, len(mine)]):
        yield mine[begin:end]


def _one(parts: list[Seen]) -> Seen:
    roots = sorted((root for part in parts for root in part.roots), key=lambda root: published(root.call))
    hosts = {host: role for part in reversed(parts) for host, role in part.hosts.items()}
    return replace(parts[0], kind=f"{PREFIX}{roots[0].sender}", roots=tuple(roots), hosts=hosts)
