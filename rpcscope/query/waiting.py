"""What is in a queue: published to it and not yet taken, by method, kind of operation and request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rpcscope.model import Call
from rpcscope.query.addresses import Address, queue_of
from rpcscope.query.queues import Queues, queues
from rpcscope.query.times import SECOND, iso, ms
from rpcscope.query.untaken import Untaken, published_ns, untaken
from rpcscope.query.watching import Watch, watches
from rpcscope.store.protocol import Reader

BACK_S = 3_600.0
"""How far back casts are looked for that a recorder no longer waits for."""
_NOTHING = Untaken(sure=(), expired=(), doubtful=(), is_whole=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The messages of one method, kind of operation, request or queue."""

    name: str  # "" unknown
    count: int
    bytes: int
    oldest_ns: int  # when the oldest of them was published


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """What the broker itself said, at the last poll of its queues. None is unknown."""

    at_ns: int
    queues: int  # of that name or family; 0: there is none
    ready: int | None
    unacked: int | None  # given to a consumer and not acknowledged; which ones no tap sees


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits in one queue or family of one broker, as far as it was recorded."""

    queue: str
    watch: Watch
    unknown: str  # why nothing can be told; "" when something can, and only then the numbers mean anything
    count: int  # published, not taken, and not expired
    bytes: int
    oldest_ns: int | None
    by_queue: tuple[Share, ...]  # the fullest first, as the others
    by_method: tuple[Share, ...]
    by_kind: tuple[Share, ...]  # of operation
    by_request: tuple[Share, ...]  # request ids
    expired: int  # calls whose time is over: the broker drops each once it is the first in its queue
    doubtful: int  # published before the tap was blind last: taken unseen, or still there
    from_ns: int  # what was published before is not in the numbers
    is_whole: bool  # False: more than MOST were to be looked at, so that the numbers are too low
    depth: Depth | None  # None: the queues of this vhost are not sampled
    published: dict[str, int]  # when, by unique id: of all that count, are doubtful or expired

    @property
    def has_any(self) -> bool:
        """Some message of it was recorded, whatever became of it."""
        return bool(self.published)

    def age_ns(self, since_ns: int | None) -> int | None:
        """How long ago something was, as of the last that was heard."""
        return None if since_ns is None else max(0, self.watch.as_of_ns - since_ns)

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract; what can not be told is null."""
        told = not self.unknown
        return {
            "queue": self.queue,
            "broker": self.watch.broker,
            "vhost": self.watch.vhost,
            "mode": self.watch.mode,
            "as_of": iso(self.watch.as_of_ns),
            "from": iso(self.from_ns) if told else None,
            "unknown": self.unknown or None,
            "messages": self.count if told else None,
            "bytes": self.bytes if told else None,
            "oldest_at": iso(self.oldest_ns),
            "oldest_ms": ms(self.age_ns(self.oldest_ns)),
            "expired": self.expired if told else None,
            "doubtful": self.doubtful if told else None,
            "whole": self.is_whole if told else None,
            "by_queue": self._rows(self.by_queue),
            "by_method": self._rows(self.by_method),
            "by_kind": self._rows(self.by_kind),
            "by_request": self._rows(self.by_request),
            "depth": _depth_dict(self.depth),
        }

    def _rows(self, shares: Iterable[Share]) -> list[dict[str, object]]:
        return [
            {
                "name": share.name or None,
                "messages": share.count,
                "bytes": share.bytes,
                "oldest_at": iso(share.oldest_ns),
                "oldest_ms": ms(self.age_ns(share.oldest_ns)),
            }
            for share in shares
        ]


def waiting(reader: Reader, queue: str, *, back_s: float = BACK_S, sampled: Queues | None = None) -> list[Waiting]:
    """What waits in a queue or family, one answer for each broker and vhost that a recorder watches or watched.

    A call leaves when it is delivered, when it is answered, or when its caller's time is over (expired); casts and
    notifications leave when they are delivered. A recorder gives up a cast after ten minutes, or two seconds while it
    has seen no delivery at all: such casts are looked for among the closed calls, `back_s` seconds back.

    Args:
        sampled: what `queues(reader, queue)` said, for who has asked it already.
    """
    address = Address(queue)
    sampled = sampled or queues(reader, queue)
    return [_waiting(reader, address, watch, round(back_s * SECOND), sampled) for watch in watches(reader)]


def _waiting(reader: Reader, address: Address, watch: Watch, back_ns: int, sampled: Queues) -> Waiting:
    unknown = _unknown(address, watch)
    from_ns = max(watch.since_ns, watch.as_of_ns - back_ns)
    found = _NOTHING if unknown else untaken(reader, address, watch, from_ns)
    sure = found.sure
    kinds = reader.operation_kinds({_cause(call) for call in sure})
    request_ids = reader.request_ids({call.operation_id for call in sure})
    return Waiting(
        queue=address.name,
        watch=watch,
        unknown=unknown,
        count=len(sure),
        bytes=sum(call.request_bytes for call in sure),
        oldest_ns=min(map(published_ns, sure), default=None),
        by_queue=_shares(sure, queue_of),
        by_method=_shares(sure, lambda call: call.method),
        by_kind=_shares(sure, lambda call: kinds.get(_cause(call), "")),
        by_request=_shares(sure, lambda call: request_ids.get(call.operation_id, "")),
        expired=len(found.expired),
        doubtful=len(found.doubtful),
        from_ns=from_ns,
        is_whole=found.is_whole,
        depth=_depth(sampled, watch.vhost),
        published={call.unique_id: published_ns(call) for call in (*sure, *found.doubtful, *found.expired)},
    )


def _unknown(address: Address, watch: Watch) -> str:
    if not watch.sees_deliveries:
        return f"mode {watch.mode} sees no deliveries, so what was taken is not known: record with --mode control"
    return address.unknown


def _cause(call: Call) -> int:
    return call.cause_id or call.operation_id


def _shares(calls: Iterable[Call], name: Callable[[Call], str]) -> tuple[Share, ...]:
    groups: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        groups[name(call)].append(call)
    shares = (
        Share(
            name=key,
            count=len(several),
            bytes=sum(call.request_bytes for call in several),
            oldest_ns=min(map(published_ns, several)),
        )
        for key, several in groups.items()
    )
    return tuple(sorted(shares, key=lambda share: (-share.count, share.oldest_ns, share.name)))


def _depth(sampled: Queues, vhost: str) -> Depth | None:
    poll = next((poll for poll in sampled.polls if poll.vhost == vhost), None)
    if poll is None:
        return None
    rows = [row for row in sampled.rows if row.vhost == vhost]
    return Depth(
        at_ns=poll.at_ns,
        queues=len(rows),
        ready=_known_sum(row.ready for row in rows),
        unacked=_known_sum(row.unacked for row in rows),
    )


def _known_sum(counts: Iterable[int | None]) -> int | None:
    """None when one is unknown, or when there is none."""
    known = list(counts)
    return None if not known or None in known else sum(count or 0 for count in known)


def _depth_dict(depth: Depth | None) -> dict[str, object] | None:
    if depth is None:
        return None
    return {"as_of": iso(depth.at_ns), "queues": depth.queues, "ready": depth.ready, "unacked": depth.unacked}
