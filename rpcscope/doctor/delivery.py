"""Messages that went nowhere, came twice, or were sent twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rpcscope.doctor.facts import Facts, Marked
from rpcscope.doctor.finding import Check, Evidence, Finding, Level, Subject, finding, plural
from rpcscope.model import RPCS
from rpcscope.query.times import iso

MANY = 100


def marked_rows(facts: Facts, word: str, said: str) -> Iterator[Evidence]:
    """The examples of one mark, each with its operation."""
    for one in facts.marked.get(word, ()):
        yield _row(one, said)


def _row(one: Marked, said: str) -> Evidence:
    to = ".".join(filter(None, (one.call.topic, one.call.server))) or one.call.exchange
    at = (iso(one.call.published_ns or one.call.last_ns) or "?")[:19]
    what, said = one.call.method or "a message", f"{said}, to {to}, sent at {at}Z"
    if one.request_id:
        return Evidence(what=what, said=said, subject=Subject.OPERATION, key=one.request_id)
    return Evidence(what=what, said=said, subject=Subject.METHOD if one.call.method else Subject.NONE)


def _unroutable(facts: Facts) -> Finding | None:
    lost: Counter[str] = Counter()
    for row in facts.signs.rows:
        if row.unroutable and row.kind in RPCS:
            lost[row.queue or row.exchange] += row.unroutable
    if not lost:
        return None
    rows = [
        Evidence(what=queue, said=f"{plural(count, 'RPC')} to it that no queue took", subject=Subject.QUEUE)
        for queue, count in lost.most_common()
    ]
    title = f"{plural(lost.total(), 'RPC')} that no queue took"
    return finding(Level.BAD, title, [*rows, *marked_rows(facts, "unroutable", "no queue took it")])


def _redelivered(facts: Facts) -> Finding | None:
    count = sum(row.redelivered for row in facts.signs.rows)
    if not count:
        return None
    level = Level.BAD if count >= MANY else Level.WARN
    title = f"{plural(count, 'message was', 'messages were')} given to a service a second time"
    return finding(level, title, marked_rows(facts, "redelivered", "redelivered"))


def _republished(facts: Facts) -> Finding | None:
    count = sum(row.republished for row in facts.signs.rows)
    if not count:
        return None
    level = Level.BAD if count >= MANY else Level.WARN
    title = f"{plural(count, 'message was', 'messages were')} sent again by the publisher"
    return finding(level, title, marked_rows(facts, "republished", "published again"))


UNROUTABLE = Check(
    name="unroutable",
    find=_unroutable,
    why="The broker dropped it: no queue was bound. oslo.messaging does not ask to be told, so the caller of a call "
    "waits for its whole timeout and the sender of a cast never knows.",
    todo="Is the service of that host down since before its queue expired, or its name spelled otherwise "
    "([DEFAULT] host)? A restart of it makes the queue again.",
)
REDELIVERED = Check(
    name="redeliveries",
    find=_redelivered,
    why="A consumer was cut off before it acknowledged, by a missed heartbeat or a dead connection. A service knows "
    "only its last 16 messages by id, so work may be done twice.",
    todo="Look for closed connections in the broker's log (missed heartbeats from client) and for what blocks the "
    "process; see also reconnects.",
)
REPUBLISHED = Check(
    name="republished",
    find=_republished,
    why="The publisher got no confirm and tried again, so the broker or the way to it was slow or gone. The first copy "
    "may have arrived, too.",
    todo="See nodes and alarms of the broker at that time, and the network between.",
)
