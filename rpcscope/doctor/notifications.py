"""Notifications that nobody reads."""

from __future__ import annotations

from collections import Counter

from rpcscope.doctor.facts import Facts
from rpcscope.doctor.finding import Check, Evidence, Finding, Level, Subject, finding, plural
from rpcscope.doctor.names import is_notification
from rpcscope.model import MessageKind

FEW = 5
"""Notifications that may have been on their way when the recording ended."""
FLOOD = 100_000


def _unread(facts: Facts) -> Finding | None:
    lying = {row.name: row.ready or 0 for row in facts.families if is_notification(row.name) and not row.consumers
             and row.consumers is not None and row.ready}  # fmt: skip
    sent = _untaken(facts)
    if not lying and not sent:
        return None
    rows = [
        Evidence(what=queue, said=_said(lying.get(queue), sent.get(queue)), subject=Subject.QUEUE)
        for queue in sorted(lying.keys() | sent.keys(), key=lambda queue: -(lying.get(queue) or sent.get(queue, 0)))
    ]
    level = Level.BAD if sum(lying.values()) >= FLOOD else Level.WARN
    count = sum(max(lying.get(queue, 0), sent.get(queue, 0)) for queue in lying.keys() | sent.keys())
    return finding(level, f"{plural(count, 'notification')} that nobody reads", rows)


def _untaken(facts: Facts) -> dict[str, int]:
    """Notifications of a topic of which none was taken, though it would have been seen."""
    published: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    for row in facts.signs.rows:
        if row.kind is MessageKind.NOTIFICATION:
            published[row.queue] += row.publishes
            taken[row.queue] += row.delivered + (row.recording_id not in facts.watched)
    return {queue: count for queue, count in published.items() if count >= FEW and not taken[queue]}


def _said(lying: int | None, sent: int | None) -> str:
    parts = []
    if lying is not None:
        parts.append(f"{plural(lying, 'message lies', 'messages lie')} in it without a consumer")
    if sent is not None:
        parts.append(f"{sent:,} published in this time and none taken")
    return "; ".join(parts)


UNREAD = Check(
    name="unread-notifications",
    find=_unread,
    why="Publishers make the queue themselves, so it fills for ever when nobody consumes it, until the broker's memory "
    "or disk alarm holds up every publisher of the cluster.",
    todo="Run the consumer (ceilometer, watcher, an audit), or switch the notifications off: "
    "[oslo_messaging_notifications] driver = noop. Then purge the queue.",
)
