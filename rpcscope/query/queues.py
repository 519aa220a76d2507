"""How deep the queues are, as of the newest poll: by family, or one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from rpcscope import safe
from rpcscope.families import family
from rpcscope.model import FamilySample, NodeState, QueuePoll, QueueSample
from rpcscope.query.times import SECOND, iso, ms
from rpcscope.store.protocol import Reader

GONE = "gone"
REPEATED_NS = 7_200 * SECOND
"""What a queue was is found within so long before; each is stored at least every hour."""
LONGEST_INTERVAL_NS = 300 * SECOND
"""Between two polls of the queue tap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """A family, or one queue. None is unknown."""

    name: str
    vhost: str
    queues: int
    ready: int | None
    unacked: int | None
    consumers: int | None
    consumerless: int  # queues that are known to have no consumer
    memory: int | None
    publish_rate: float | None  # a second
    deliver_rate: float | None
    ack_rate: float | None
    growth: int | None  # messages more (ready and unacked) than a window ago; None: it was not seen then
    type: str = ""
    node: str = ""
    state: str = ""

    @property
    def is_growing(self) -> bool:
        """More lies in it than a window ago."""
        return (self.growth or 0) > 0

    def as_dict(self) -> dict[str, object]:
        """All fields."""
        return {**asdict(self), "growing": None if self.growth is None else self.is_growing}


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues:
    """The queues of everything that is recorded."""

    polls: tuple[QueuePoll, ...]  # the newest of each vhost
    rows: tuple[QueueRow, ...]  # the deepest first
    nodes: tuple[NodeState, ...]

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "polls": [_poll_dict(poll) for poll in self.polls],
            "nodes": [{**asdict(node), "at": iso(node.at_ns)} for node in self.nodes],
            "queues": [row.as_dict() for row in self.rows],
        }


def queues(
    reader: Reader,
    name: str | None = None,
    *,
    by_queue: bool = False,
    window_s: float = 600.0,
    until_ns: int | None = None,
) -> Queues:
    """As of the newest poll of each vhost, or the newest until a time.

    `name` is a queue, or a family whose queues are then the rows. `window_s` is how far back growth looks.
    """
    polls = _latest(reader.queue_polls(until_ns))
    rows: list[QueueRow] = []
    for poll in polls:
        then_ns = poll.at_ns - round(window_s * SECOND)
        if by_queue or name is not None:
            rows += _queue_rows(reader, poll, then_ns, name)
        else:
            rows += _family_rows(reader, poll, then_ns)
    ordered = sorted(rows, key=lambda row: (-(row.ready or 0) - (row.unacked or 0), row.vhost, row.name))
    return Queues(polls=polls, rows=tuple(ordered), nodes=tuple(reader.node_states(until_ns)) if polls else ())


def _latest(polls: Iterable[QueuePoll]) -> tuple[QueuePoll, ...]:
    """One poll of each vhost: several recordings may have looked at it."""
    newest: dict[str, QueuePoll] = {}
    for poll in sorted(polls, key=lambda p: p.at_ns):
        newest[poll.vhost] = poll
    return tuple(newest.values())


def _family_rows(reader: Reader, poll: QueuePoll, then_ns: int) -> list[QueueRow]:
    now = [f for f in reader.families(poll.at_ns, poll.at_ns) if f.vhost == poll.vhost]
    # The oldest first, so that the last one before the window stays.
    then = {f.family: f for f in reader.families(then_ns - LONGEST_INTERVAL_NS, then_ns) if f.vhost == poll.vhost}
    return [_row(f.family, f, then.get(f.family)) for f in {f.family: f for f in now}.values()]


def _queue_rows(reader: Reader, poll: QueuePoll, then_ns: int, name: str | None) -> list[QueueRow]:
    now = _queues_at(reader, poll.vhost, poll.at_ns, name)
    then = _queues_at(reader, poll.vhost, then_ns, name)
    return [_row(q.queue, q, then.get(q.queue)) for q in now.values()]


def _queues_at(reader: Reader, vhost: str, at_ns: int, name: str | None) -> dict[str, QueueSample]:
    found: dict[str, QueueSample] = {}
    for q in sorted(reader.queues(at_ns - REPEATED_NS, at_ns, starting=beginning(name or "")), key=lambda q: q.at_ns):
        if q.vhost == vhost and (name is None or is_of(name, q.queue)):
            found[q.queue] = q
    return {queue: q for queue, q in found.items() if q.state != GONE}


def is_family(name: str) -> bool:
    """Whether it names many queues; a shared queue is a family, too, but only of itself."""
    return name.endswith("*")


def is_of(name: str, queue: str) -> bool:
    """Whether a queue has this name, or is of this family. One of an odd shape was stored as a digest."""
    return family(queue) == name if is_family(name) else queue in (name, safe.name(name))


def beginning(name: str) -> str:
    """How the stored names of such queues begin."""
    return name[:-1] if is_family(name) else safe.name(name)


def _row(name: str, now: FamilySample | QueueSample, then: FamilySample | QueueSample | None) -> QueueRow:
    one = now if isinstance(now, QueueSample) else None
    return QueueRow(
        name=name,
        vhost=now.vhost,
        queues=now.queues if isinstance(now, FamilySample) else 1,
        ready=now.ready,
        unacked=now.unacked,
        consumers=now.consumers,
        consumerless=now.consumerless if isinstance(now, FamilySample) else int(now.consumers == 0),
        memory=now.memory,
        publish_rate=now.publish_rate,
        deliver_rate=now.deliver_rate,
        ack_rate=now.ack_rate,
        growth=_growth(now, then),
        type=one.type if one else "",
        node=one.node if one else "",
        state=one.state if one else "",
    )


def _growth(now: FamilySample | QueueSample, then: FamilySample | QueueSample | None) -> int | None:
    after, before = _depth(now), None if then is None else _depth(then)
    return None if after is None or before is None else after - before


def _depth(sample: FamilySample | QueueSample) -> int | None:
    known = [count for count in (sample.ready, sample.unacked) if count is not None]
    return sum(known) if known else None


def _poll_dict(poll: QueuePoll) -> dict[str, object]:
    return {
        "as_of": iso(poll.at_ns),
        "vhost": poll.vhost,
        "source": poll.source,
        "queues": poll.queues,
        "complete": poll.complete,
        "took_ms": ms(poll.took_ns),
        "own_cpu_ms": ms(poll.own_cpu_ns),
        "interval_s": poll.interval_ns / SECOND,
        "core_share": share(poll),
    }


def share(poll: QueuePoll) -> float | None:
    """How much of one core of the broker this poll took until the next one, at most; 0 to 1."""
    return round(poll.took_ns / poll.interval_ns, 5) if poll.interval_ns else None
