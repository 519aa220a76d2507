"""The border between the queue taps and the store: safe names, families, and only what changed.

20,000 queues looked at every 30 seconds are 57 million rows a day, nearly all of them equal to the row before. So
every family is stored at every poll (a few dozen rows), and a queue when something about it has changed, and once an
hour even so: what was at any time is then found in the two hours before it, and retention never takes the last word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any

from rpcscope import safe
from rpcscope.families import family
from rpcscope.model import ChurnEvent, FamilySample, NodeState, QueuePoll, QueueSample, QueueSamples

REPEAT_NS = 3_600_000_000_000
GONE = "gone"
# The memory of a process moves all the time, and is worth no row.
_news = attrgetter(*(field.name for field in fields(QueueSample) if field.name not in ("at_ns", "memory")))
_MEASURES = ("ready", "unacked", "consumers", "memory", "publish_rate", "deliver_rate", "ack_rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """What of one poll is stored."""

    poll: QueuePoll
    families: tuple[FamilySample, ...]
    changed: tuple[QueueSample, ...]


class Sampler:
    """Knows what was last stored of each queue of one recorder; as much memory as there are queues."""

    def __init__(self, *, repeat_ns: int = REPEAT_NS) -> None:
        """Nothing is stored yet, so the first poll stores every queue. `repeat_ns` is the longest between two rows."""
        self._repeat_ns = repeat_ns
        self._stored: dict[tuple[str, str], QueueSample] = {}

    def take(self, seen: QueueSamples) -> Sampled:
        """Make a poll fit for the store. Polls come in the order of their times."""
        poll = seen.poll
        # Two odd names may have one digest; the store has room for one of them.
        now = {(q.vhost, q.queue): q for q in map(safe_sample, seen.samples)}
        changed = [q for key, q in now.items() if self._is_news(key, q)]
        gone = self._forget(poll, now.keys())
        changed += gone if poll.complete else []
        self._stored.update(((q.vhost, q.queue), q) for q in changed if q.state != GONE)
        return Sampled(poll=poll, families=fold(now.values()), changed=tuple(changed))

    def _is_news(self, key: tuple[str, str], q: QueueSample) -> bool:
        before = self._stored.get(key)
        if before is None or q.at_ns - before.at_ns >= self._repeat_ns:
            return True
        return _news(q) != _news(before)

    def _forget(self, poll: QueuePoll, here: Iterable[tuple[str, str]]) -> list[QueueSample]:
        missing = [key for key in self._stored.keys() - set(here) if key[0] == poll.vhost]
        for key in missing:
            del self._stored[key]
        return [QueueSample(at_ns=poll.at_ns, vhost=vhost, queue=queue, state=GONE) for vhost, queue in sorted(missing)]


def fold(samples: Iterable[QueueSample]) -> tuple[FamilySample, ...]:
    """The families of the queues of one poll, by name. What is unknown of some queues is the sum of the others."""
    groups: dict[tuple[str, str], list[QueueSample]] = defaultdict(list)
    for q in samples:
        groups[q.vhost, family(q.queue)].append(q)
    return tuple(
        FamilySample(
            at_ns=max(q.at_ns for q in group),
            vhost=vhost,
            family=name,
            queues=len(group),
            consumerless=sum(q.consumers == 0 for q in group),
            **{word: _sum(getattr(q, word) for q in group) for word in _MEASURES},
        )
        for (vhost, name), group in sorted(groups.items())
    )


def _sum(values: Iterable[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def safe_sample(q: QueueSample) -> QueueSample:
    """The sample with names that may be stored. The vhost is the one that the operator named."""
    names = safe.name(q.queue), safe.token(q.type), safe.name(q.node), safe.token(q.state)
    if names == (q.queue, q.type, q.node, q.state):
        return q
    return replace(q, queue=names[0], type=names[1], node=names[2], state=names[3])


def safe_node(n: NodeState) -> NodeState:
    """The state with names that may be stored."""
    return replace(n, node=safe.name(n.node), partitions=tuple(map(safe.name, n.partitions)))


def safe_churn(c: ChurnEvent) -> ChurnEvent:
    """The event with names that may be stored."""
    return replace(
        c,
        queue=safe.name(c.queue),
        connection=safe.peer(c.connection),
        client_name=safe.name(c.client_name),
    )
