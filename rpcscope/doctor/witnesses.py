"""Taps that looked at the same calls and say different things of them."""

from __future__ import annotations

from rpcscope.doctor.facts import Facts
from rpcscope.doctor.finding import Check, Evidence, Finding, Level, Subject, finding, plural
from rpcscope.query.disagreement import COUNT, SIZE, TIMES, Disagreement
from rpcscope.query.words import duration

_SUBJECTS = {TIMES: Subject.HOST, SIZE: Subject.METHOD}


def _disagree(facts: Facts) -> Finding | None:
    if not facts.disagreements:
        return None
    calls = sum(one.calls for one in facts.disagreements)
    counted = any(one.about == COUNT for one in facts.disagreements)
    rows = (
        Evidence(what=one.what, said=_said(one), subject=_SUBJECTS.get(one.about, Subject.NONE))
        for one in facts.disagreements
    )
    title = f"Taps do not agree about {plural(calls, 'call')}"
    return finding(Level.WARN if counted else Level.INFO, title, rows)


def _said(one: Disagreement) -> str:
    by = f", by up to {duration(one.worst_ns)}" if one.worst_ns else ""
    return f"{plural(one.calls, 'call')}: {one.said}{by}"


DISAGREE = Check(
    name="taps-disagree",
    find=_disagree,
    why="One of two witnesses is wrong or blind: counts, outcomes or times that hang on it are not to be trusted.",
    todo="Seen on the bus and not told: the process lost what it had to tell, or some of its workers run without the "
    "tap. Told and not seen: its broker or vhost is not tapped, or the tap dropped. Times: look at the host's NTP; "
    "`rpcscope status` tells how far each clock is off.",
)
