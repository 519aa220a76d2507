"""Live migrations whose copy does not end."""

from __future__ import annotations

from rpcscope.doctor.facts import Facts
from rpcscope.doctor.finding import Check, Evidence, Finding, Level, Subject, finding, plural
from rpcscope.query.progress import Migration, Pace
from rpcscope.query.words import amount, duration

_BAD = (Pace.NOT_CONVERGING, Pace.STANDING)


def _endless(facts: Facts) -> Finding | None:
    found = [one for one in facts.migrations if one.pace in _BAD]
    if not found:
        return None
    title = plural(len(found), "live migration does", "live migrations do") + " not converge"
    worst = sorted(found, key=lambda one: -one.still_ns)
    return finding(Level.WARN, title, (_row(facts, one) for one in worst))


def _row(facts: Facts, one: Migration) -> Evidence:
    at = "and nothing is sent" if one.pace is Pace.STANDING else f"{amount(one.rate)}/s are sent"
    said = f"no nearer to its end for {duration(one.still_ns)}: {amount(one.remaining)} left of the pass, {at}"
    key = facts.request_ids.get(one.last.operation_id, "")
    subject = Subject.OPERATION if key else Subject.INSTANCE
    return Evidence(what=one.last.instance or "an unknown server", said=said, subject=subject, key=key)


ENDLESS = Check(
    name="endless-migrations",
    find=_endless,
    why="The server writes its memory as fast as it is copied, so no pass is shorter than the one before. The copy "
    "goes on until a timeout (nova's live_migration_completion_timeout: hours), and by default its host moves no "
    "other server meanwhile.",
    todo="Force it to complete (openstack server migration force complete), which pauses the server or switches to "
    "post-copy; or abort it, and move the server when it writes less, or with auto-converge.",
)
