"""What rpcscope itself does not see."""

from __future__ import annotations

from collections.abc import Iterator

from rpcscope.doctor.facts import Facts
from rpcscope.doctor.finding import Check, Evidence, Finding, Level, Subject, finding, plural
from rpcscope.query.gap_words import WHY, blind
from rpcscope.query.status import RecorderStatus
from rpcscope.query.times import SECOND
from rpcscope.query.words import duration

FORGOTTEN_NS = 86_400 * SECOND
"""A recorder that fell silent longer ago was left to be so."""
LATE_NS = 15 * SECOND
CHOSEN = frozenset({"bindings", "off"})
"""Causes that somebody or the flight recorder chose."""


def _blind(facts: Facts) -> Finding | None:
    if not facts.losses:
        return None
    whole = sum(min(one.to_ns, facts.to_ns) - max(one.from_ns, facts.from_ns) for one in facts.losses)
    scopes = {one.recording.id: one.recording.scope for one in facts.recorders}
    rows = (
        Evidence(
            what=scopes.get(one.recording_id) or WHY.get(one.cause, one.cause), said=blind([one]), subject=Subject.TAP
        )
        for one in sorted(facts.losses, key=lambda one: one.from_ns - one.to_ns)
    )
    by_choice = all(one.cause in CHOSEN for one in facts.losses)
    title = (
        f"A tap was told to see less for {duration(whole)}" if by_choice else f"A tap was blind for {duration(whole)}"
    )
    return finding(Level.INFO if by_choice else Level.WARN, f"{title} in all", rows)


def _recorders(facts: Facts) -> Finding | None:
    rows = [row for one in facts.recorders for row in _of(one)]
    if not rows:
        return None
    return finding(
        Level.BAD, f"{plural(len({row.what for row in rows}), 'recorder is', 'recorders are')} in trouble", rows
    )


def _of(one: RecorderStatus) -> Iterator[Evidence]:
    scope, health = one.recording.scope, one.health
    if one.state == "silent" and one.now_ns - one.heard_ns < FORGOTTEN_NS:
        ago = duration(one.now_ns - one.heard_ns)
        yield Evidence(what=scope, said=f"its recorder was last heard of {ago} ago", subject=Subject.TAP)
    if one.state != "recording" or health is None:
        return
    if health.nodes_traced is not None and health.nodes and health.nodes_traced < health.nodes:
        said = f"{health.nodes_traced} of {health.nodes} nodes are traced: totals are not whole"
        yield Evidence(what=scope, said=said, subject=Subject.TAP)
    if (health.lag_ns or 0) > LATE_NS:
        said = f"its recorder reads {duration(health.lag_ns or 0)} late: its times are not those of the events"
        yield Evidence(what=scope, said=said, subject=Subject.TAP)
    if health.stored_ns and one.now_ns - health.stored_ns > LATE_NS:
        said = f"the last commit was {duration(one.now_ns - health.stored_ns)} ago: the database does not take it"
        yield Evidence(what=scope, said=said, subject=Subject.TAP)


BLIND = Check(
    name="blind-taps",
    find=_blind,
    is_now=True,
    why="Totals that the gap touches are too low, and what ended in it may look stuck or timed out.",
    todo="`rpcscope status` says why. A full queue: record in a cheaper mode, or on a faster host. No connection: see "
    "the broker. Not traced: a node restarted, and the recorder could not switch it on again.",
)
RECORDERS = Check(
    name="recorders",
    find=_recorders,
    is_now=True,
    why="What is not recorded now can not be asked later.",
    todo="`rpcscope status` says what to do about each.",
)
