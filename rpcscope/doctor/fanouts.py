"""Fanouts to many servers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from rpcscope.doctor.facts import Facts
from rpcscope.doctor.finding import Check, Evidence, Finding, Level, Subject, finding
from rpcscope.model import MessageKind

WIDE = 50
"""Copies of one fanout."""
OFTEN = 50.0
"""Copies a second, of all fanouts of a method."""
FLOOD = 2_000.0


@dataclass
class _Spread:
    fanouts: int = 0
    copies: int = 0


def _amplified(facts: Facts) -> Finding | None:
    methods: defaultdict[tuple[str, str], _Spread] = defaultdict(_Spread)
    for row in facts.signs.rows:
        if row.kind is MessageKind.FANOUT:
            spread = methods[row.method, row.exchange]
            spread.fanouts += row.publishes
            spread.copies += max(row.routed, row.copies)
    wide = {
        key: one for key, one in methods.items()
        if one.fanouts and one.copies / one.fanouts >= WIDE and one.copies / facts.lasted_s >= OFTEN
    }  # fmt: skip
    if not wide:
        return None
    rate = sum(one.copies for one in wide.values()) / facts.lasted_s
    rows = (
        Evidence(
            what=method, subject=Subject.METHOD,
            said=f"{one.fanouts:,} fanouts over {exchange}, {one.copies / one.fanouts:,.0f} copies of each, "
            f"{one.copies / facts.lasted_s:,.1f} copies a second",
        )
        for (method, exchange), one in sorted(wide.items(), key=lambda item: -item[1].copies)
    )  # fmt: skip
    return finding(Level.BAD if rate >= FLOOD else Level.WARN, f"Fanouts make {rate:,.0f} copies a second", rows)


AMPLIFIED = Check(
    name="fanout-amplification",
    find=_amplified,
    why="Each fanout is copied to every server of its topic: the more servers, the dearer each one. When every server "
    "sends some, too, the copies grow with the square of the servers.",
    todo="Find who sends it so often (`rpcscope calls --method NAME`). In nova, set [filter_scheduler] "
    "track_instance_changes = false when no filter or weigher needs it.",
)
