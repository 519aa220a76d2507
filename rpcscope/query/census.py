"""How many operations of a time are of which kind, and how they stand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from rpcscope.model import Status
from rpcscope.store.protocol import Reader

_WORDS = {
    Status.DONE: "done", Status.FAILED: "failed", Status.RUNNING: "unfinished", Status.STUCK: "unfinished",
    Status.UNKNOWN: "unknown",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Operations that began in a time, as their recorders judged them."""

    kinds: tuple[tuple[str, int], ...]  # the most frequent first; "" while unknown
    standings: tuple[tuple[str, int], ...]  # done, failed, unfinished, unknown: those that there are
    since_ns: int | None  # only those that began then or later were counted; None: all of the time

    @property
    def operations(self) -> int:
        """All that were counted."""
        return sum(count for _, count in self.kinds)


def census(reader: Reader, since_ns: int, until_ns: int, *, background: bool) -> Census:
    """Counts of the newest 20,000 at most: a twentieth of a second.

    Args:
        background: what timers and starts made, too.
    """
    found = reader.operation_counts(since_ns, until_ns)
    kinds: Counter[str] = Counter()
    standings = dict.fromkeys(_WORDS.values(), 0)
    for one in found.counts:
        if background or not one.background:
            kinds[one.kind] += one.operations
            standings[_WORDS[Status(one.status)]] += one.operations
    return Census(
        kinds=tuple(sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0]))),
        standings=tuple((word, count) for word, count in standings.items() if count),
        since_ns=found.since_ns,
    )
