"""Operations that do not end, or fail again and again."""

from __future__ import annotations

from collections import defaultdict

from rpcscope.doctor.facts import Facts
from rpcscope.doctor.finding import Check, Evidence, Finding, Level, Subject, finding, plural
from rpcscope.query.operations import OperationView
from rpcscope.query.words import duration

AGAIN = 3
"""Failures of one kind of operation on one server."""
UNNAMED = "unattributed"
UNNAMED_ERROR = "an unknown error"


def _stuck(facts: Facts) -> Finding | None:
    if not facts.stuck:
        return None
    title = plural(len(facts.stuck), "operation is", "operations are") + " stuck"
    return finding(Level.BAD, title, (_stuck_row(facts, view) for view in facts.stuck))


def _stuck_row(facts: Facts, view: OperationView) -> Evidence:
    owed, since = view.owed, view.stuck_since_ns
    who = "nobody knows who owes the next step"
    if owed is not None:
        by = owed.host or owed.process or ("not seen who" if owed.taker_unseen else "nobody took it")
        who = f"{owed.method} is owed by {by}{', which is gone' if owed.process_gone else ''}"
    still = f"still for {duration(max(0, facts.to_ns - since))}: " if since else ""
    kind = view.whole.kind or UNNAMED
    return Evidence(what=kind, said=f"{still}{who}", subject=Subject.OPERATION, key=view.whole.request_id)


def _failing(facts: Facts) -> Finding | None:
    groups: defaultdict[tuple[str, str], list[OperationView]] = defaultdict(list)
    for view in facts.failed:
        for instance in view.whole.instances:
            groups[view.whole.kind, instance].append(view)
    found = {key: views for key, views in groups.items() if len(views) >= AGAIN}
    if not found:
        return None
    rows = (
        Evidence(
            what=instance, subject=Subject.INSTANCE,
            said=f"{kind or UNNAMED} failed {len(views):,} times, last with {views[0].whole.error or UNNAMED_ERROR}",
        )
        for (kind, instance), views in sorted(found.items(), key=lambda item: -len(item[1]))
    )  # fmt: skip
    title = plural(len(found), "server has", "servers have") + " an operation that is tried and fails again and again"
    return finding(Level.WARN, title, rows)


STUCK = Check(
    name="stuck-operations",
    find=_stuck,
    why="Somebody owes the next step and nothing has moved for longer than a caller waits, so it will not go on by "
    "itself. Servers stay in a state such as BUILD or MIGRATING, and keep their claims.",
    todo="Open it: it says who owes what. Look at that process; when it is gone, reset the state of the server and try "
    "again.",
)
FAILING = Check(
    name="repeated-failures",
    find=_failing,
    why="A person or a program (masakari, watcher, a script) repeats what can not succeed. Each round costs RPCs, and "
    "leaves claims and notifications behind.",
    todo="Open the newest failure; mend its cause or stop what repeats it.",
)
