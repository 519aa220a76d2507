"""Queues that nobody empties."""

from __future__ import annotations

from collections.abc import Iterator

from rpcscope.doctor.facts import Facts
from rpcscope.doctor.finding import Check, Evidence, Finding, Level, Subject, finding, plural
from rpcscope.doctor.names import is_notification, is_reply
from rpcscope.query.abandoned import AbandonedQueue
from rpcscope.query.queues import QueueRow

GROWN = 100
"""Messages more than ten minutes before, at least, and a tenth of what is in it."""
FLOOD = 10_000
UNACKED = 200
"""Messages that one consumer of RPCs holds unacknowledged; it acknowledges before it works."""


def _consumerless(facts: Facts) -> Finding | None:
    found = [one for one in facts.abandoned if one.ready and not _told_elsewhere(one)]
    if not found:
        return None
    waiting = sum(one.ready or 0 for one in found)
    level = Level.BAD if any("_fanout" not in one.name for one in found) else Level.WARN
    title = f"{plural(len(found), 'queue')} without a consumer, {plural(waiting, 'message waits', 'messages wait')}"
    return finding(level, title, map(_abandoned_row, found))


def _told_elsewhere(one: AbandonedQueue) -> bool:
    return is_reply(one.name) or is_notification(one.name)


def _abandoned_row(one: AbandonedQueue) -> Evidence:
    said = plural(one.ready or 0, "message waits", "messages wait")
    was = "it had a consumer less than two hours ago" if one.lost_ns else "it had none in the two hours before"
    return Evidence(what=one.name, said=f"{said}; {was}", subject=Subject.QUEUE)


def _growing(facts: Facts) -> Finding | None:
    found = sorted(_grown(facts), key=lambda row: -(row.growth or 0))
    if not found:
        return None
    more = sum(row.growth or 0 for row in found)
    level = Level.BAD if any((row.growth or 0) >= FLOOD for row in found) else Level.WARN
    title = (
        f"{plural(len(found), 'queue or family grows', 'queues or families grow')}: {more:,} messages more in 10 min"
    )
    return finding(level, title, map(_grown_row, found))


def _grown(facts: Facts) -> Iterator[QueueRow]:
    for row in facts.families:
        depth = (row.ready or 0) + (row.unacked or 0)
        if (row.growth or 0) >= max(GROWN, depth / 10):
            yield row


def _grown_row(row: QueueRow) -> Evidence:
    rates = ""
    if row.publish_rate is not None and row.ack_rate is not None:
        rates = f"; {row.publish_rate:,.1f} come and {row.ack_rate:,.1f} go a second"
    held = f", {row.unacked:,} of them unacknowledged" if row.unacked else ""
    depth = (row.ready or 0) + (row.unacked or 0)
    return Evidence(
        what=row.name, said=f"{row.growth:+,} to {depth:,} messages{held}{rates}", subject=Subject.QUEUE
    )  # fmt: skip


def _unacked(facts: Facts) -> Finding | None:
    found = [
        row for row in facts.families
        if (row.unacked or 0) >= UNACKED * max(1, row.consumers or 0) and not is_notification(row.name)
    ]  # fmt: skip
    if not found:
        return None
    title = f"{plural(sum(row.unacked or 0 for row in found), 'message')} given to consumers and not acknowledged"
    rows = (
        Evidence(
            what=row.name, subject=Subject.QUEUE,
            said=f"{row.unacked:,} unacknowledged by {plural(row.consumers or 0, 'consumer')}",
        )
        for row in found
    )  # fmt: skip
    return finding(Level.WARN, title, rows)


CONSUMERLESS = Check(
    name="consumerless-queues",
    find=_consumerless,
    is_now=True,
    why="What is sent there is not done, and is kept in the broker's memory. Casts and fanouts never expire.",
    todo="Start the service that should consume it. When it is gone for good, delete the queue, so that senders see "
    "that nobody is there.",
)
GROWING = Check(
    name="growing-queues",
    find=_growing,
    is_now=True,
    why="More comes than is taken. Services acknowledge before they work, so a queue grows only when a service is "
    "gone, its listener is starved, or the consumer acknowledges after its work.",
    todo="See which process consumes it and what it does: `rpcscope queues NAME` says what waits, `rpcscope inflight` "
    "who is overloaded. Add workers where it is only load.",
)
UNACKNOWLEDGED = Check(
    name="unacknowledged",
    find=_unacked,
    is_now=True,
    why="RPC servers acknowledge at once, before they work. One that holds many has a listener that does not run "
    "(blocked, out of CPU), and without a prefetch count the broker gave it everything there was.",
    todo="Look at the process that consumes it: is it stopped, swapping, at 100 % of a core? For consumers that "
    "acknowledge late set rabbit_qos_prefetch_count.",
)
