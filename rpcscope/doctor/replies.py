"""Reply queues: without their process, or with two."""

from __future__ import annotations

from collections import defaultdict

from rpcscope.doctor.facts import Facts
from rpcscope.doctor.finding import Check, Evidence, Finding, Level, Subject, finding, plural
from rpcscope.doctor.names import is_reply
from rpcscope.query.abandoned import AbandonedQueue
from rpcscope.query.gaps import Loss
from rpcscope.query.times import iso
from rpcscope.store.sign_rows import DeafSign


def _lost(facts: Facts) -> Finding | None:
    found = [one for one in facts.abandoned if is_reply(one.name)]
    if not found:
        return None
    lying = sum(one.ready or 0 for one in found)
    title = plural(len(found), "reply queue has no consumer", "reply queues have no consumer")
    title += f": {plural(lying, 'reply', 'replies')} for nobody" if lying else " and will expire"
    return finding(Level.WARN if lying else Level.INFO, title, map(_lost_row, found))


def _lost_row(one: AbandonedQueue) -> Evidence:
    lie = "depth not known" if one.ready is None else plural(one.ready, "reply", "replies")
    since = f"; without a consumer since {_at(one.lost_ns)}" if one.lost_ns else ""
    ends = f", gone at {_at(one.expires_ns)} by default" if one.expires_ns else ""
    return Evidence(what=one.name, said=f"{lie}{since}{ends}", subject=Subject.QUEUE)


def _at(ns: int) -> str:
    return f"{(iso(ns) or '?')[:19]}Z"


def _shared(facts: Facts) -> Finding | None:
    users: defaultdict[str, set[str]] = defaultdict(set)
    for layout in facts.layouts:
        for one in layout.consumers:
            if is_reply(one.queue):
                users[one.queue].add(one.process)
    shared = {queue: who for queue, who in users.items() if len(who) > 1}
    if not shared:
        return None
    rows = (
        Evidence(what=queue, said=f"consumed by {', '.join(sorted(who))}", subject=Subject.QUEUE)
        for queue, who in sorted(shared.items())
    )
    title = plural(len(shared), "reply queue is", "reply queues are") + " consumed by more than one process"
    return finding(Level.BAD, title, rows)


def _deaf(facts: Facts) -> Finding | None:
    found = [
        one for one in facts.signs.deaf
        if one.recording_id in facts.whole and not any(_touches(loss, one) for loss in facts.losses)
    ]  # fmt: skip
    if not found:
        return None
    rows = (
        Evidence(what=facts.process(one.from_process) or "an unknown process",
                 said=f"{one.answered:,} of its calls were answered, and it took none of the replies")
        for one in found
    )  # fmt: skip
    return finding(Level.BAD, plural(len(found), "process hears", "processes hear") + " no reply", rows)


def _touches(loss: Loss, one: DeafSign) -> bool:
    return loss.from_ns <= one.last_ns and loss.to_ns >= one.first_ns


LOST = Check(
    name="lost-reply-queues",
    find=_lost,
    is_now=True,
    why="Its process is gone or lost its consumer. Servers go on to work for it, and their replies reach nobody. By "
    "default the queue expires after 30 minutes without a consumer; a process that still runs but lost its consumer "
    "gets no answer to any call from then on.",
    todo="After a restart it is normal and goes by itself. Otherwise find the process whose calls all time out "
    "(repeated-timeouts) and restart it.",
)
SHARED = Check(
    name="shared-reply-queues",
    find=_shared,
    why="A reply queue belongs to one process. Two consumers steal each other's replies: every other call times out. "
    "oslo.messaging before 18.3 gave workers under cotyledon the same name when use_queue_manager is on.",
    todo="Upgrade oslo.messaging, or switch use_queue_manager off for the service; then restart it.",
)
DEAF = Check(
    name="deaf-callers",
    find=_deaf,
    why="Its calls are done and answered, and nobody takes the answers: its reply queue is gone, or has lost its "
    "consumer. Every call of it times out, though all callees are well.",
    todo="Restart the process. When it happens again, upgrade oslo.messaging, and see in the broker's log whether its "
    "connection was lost before.",
)
