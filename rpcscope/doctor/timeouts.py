"""Callers that gave up."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from rpcscope.doctor.ask import TIMED_OUT
from rpcscope.doctor.delivery import marked_rows
from rpcscope.doctor.facts import Facts
from rpcscope.doctor.finding import Check, Evidence, Finding, Level, Subject, finding, plural
from rpcscope.model import MessageKind

MANY = 10
"""Timeouts of one callee that make it bad, when they are a hundredth of its calls."""
SHARE = 0.01
AGAIN = 3
"""Timeouts of one caller with the same method and callee."""
STORM = 20


@dataclass
class _Callee:
    calls: int = 0
    timed_out: int = 0
    host: str = ""


def _timeouts(facts: Facts) -> Finding | None:
    callees: defaultdict[str, _Callee] = defaultdict(_Callee)
    for row in facts.signs.rows:
        if row.kind is MessageKind.REQUEST:
            callee = callees[row.queue]
            callee.calls += row.calls
            callee.timed_out += row.timed_out
            callee.host = row.server
    hit = {queue: one for queue, one in callees.items() if one.timed_out}
    if not hit:
        return None
    bad = any(one.timed_out >= MANY and one.timed_out >= SHARE * one.calls for one in hit.values())
    rows = [
        Evidence(
            what=queue, subject=Subject.HOST if one.host else Subject.QUEUE, key=one.host,
            said=f"{one.timed_out:,} of {plural(one.calls, 'call')} to it timed out",
        )
        for queue, one in sorted(hit.items(), key=lambda item: (-item[1].timed_out, item[0]))
    ]  # fmt: skip
    title = plural(sum(one.timed_out for one in hit.values()), "call") + " timed out"
    return finding(Level.BAD if bad else Level.WARN, title, [*rows, *marked_rows(facts, TIMED_OUT, "timed out")])


def _late(facts: Facts) -> Finding | None:
    count = sum(row.late for row in facts.signs.rows)
    if not count:
        return None
    answered = sum(row.answered for row in facts.signs.rows if row.kind is MessageKind.REQUEST)
    bad = count >= MANY and count >= SHARE * answered
    title = f"{plural(count, 'reply', 'replies')} came when the caller was gone"
    return finding(Level.BAD if bad else Level.WARN, title, marked_rows(facts, "late", "answered too late"))


def _repeated(facts: Facts) -> Finding | None:
    counts: Counter[tuple[str, str, str]] = Counter()
    for one in facts.signs.callers:
        # By its name: a process has an id in each recording.
        who = facts.process(one.from_process) or "an unknown process"
        counts[one.method, who, ".".join(filter(None, (one.topic, one.server)))] += one.timed_out
    found = [(key, count) for key, count in counts.most_common() if count >= AGAIN]
    if not found:
        return None
    rows = (
        Evidence(what=method, said=f"{who} sent it to {to} and timed out {count:,} times", subject=Subject.METHOD)
        for (method, who, to), count in found
    )
    level = Level.BAD if found[0][1] >= STORM else Level.WARN
    title = plural(len(found), "caller sends", "callers send") + " again and again what times out"
    return finding(level, title, rows)


TIMEOUTS = Check(
    name="timeouts",
    find=_timeouts,
    why="The caller waited for its whole timeout and gave up; the work may be done all the same, without anybody who "
    "wants it. An operation then fails, or is done twice.",
    todo="Look at the callee with the most: is it up, is its pool full (`rpcscope inflight`), does it wait for a "
    "database? A longer rpc_response_timeout hides this, and mends nothing.",
)
LATE = Check(
    name="late-replies",
    find=_late,
    why="The server worked for a caller that had gone: the work of an overloaded service, which makes it slower still. "
    "oslo.messaging does not look at the expiration once a request is taken from its queue.",
    todo="Give the service more workers or make it faster; see where it waits on the operation's page.",
)
REPEATED = Check(
    name="repeated-timeouts",
    find=_repeated,
    why="oslo.messaging does not repeat a call; callers do, on their next period or by a retry of their own. Under "
    "overload each round adds work that nobody waits for.",
    todo="When one caller times out with everybody, its reply queue is gone: restart it. When many time out with one "
    "callee, mend that one first.",
)
