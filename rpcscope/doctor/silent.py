"""Servers that take requests and answer nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from rpcscope.doctor.facts import Facts
from rpcscope.doctor.finding import Check, Evidence, Finding, Level, Subject, finding, plural
from rpcscope.model import MessageKind

ENOUGH = 3
"""Requests without an answer."""


@dataclass
class _Server:
    silent: int = 0
    answered: int = 0
    delivered: int = 0


def _mute(facts: Facts) -> Finding | None:
    topics: defaultdict[tuple[str, str], defaultdict[str, _Server]] = defaultdict(lambda: defaultdict(_Server))
    for row in facts.signs.rows:
        if row.kind is MessageKind.REQUEST and row.server:
            one = topics[facts.brokers.get(row.recording_id, ""), row.topic][row.server]
            one.silent += row.silent
            one.answered += row.answered
            one.delivered += row.delivered
    rows = []
    for (_, topic), servers in sorted(topics.items()):
        mute = {name: one for name, one in servers.items() if one.silent >= ENOUGH and not one.answered}
        answering = len([one for one in servers.values() if one.answered])
        if answering:
            rows += [_row(topic, name, one, answering) for name, one in sorted(mute.items())]
    if not rows:
        return None
    return finding(Level.BAD, plural(len(rows), "server answers", "servers answer") + " nothing, while others do", rows)


def _row(topic: str, name: str, one: _Server, answering: int) -> Evidence:
    took = f"{one.delivered:,} of them were taken from its queue" if one.delivered else "none was seen taken"
    said = f"{plural(one.silent, 'request')} without an answer, {took}; {answering:,} others of {topic} answer"
    return Evidence(what=f"{topic}.{name}", said=said, subject=Subject.HOST, key=name)


MUTE = Check(
    name="silent-servers",
    find=_mute,
    why="The service is up enough to be asked, and every caller waits its whole timeout. After a minute without a sign "
    "of life nova takes the host for down, and masakari may evacuate it.",
    todo="When requests are taken from its queue, the process hangs (libvirt, storage, a lock): look at it. When they "
    "are not, it lost its consumer or is stopped: restart it.",
)
