"""Queues that nobody consumes: since when, and when the broker may delete them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rpcscope.families import family
from rpcscope.model import QueuePoll
from rpcscope.query.queues import REPEATED_NS
from rpcscope.query.times import SECOND, iso
from rpcscope.store.depth_rows import Abandoned
from rpcscope.store.protocol import Reader

SHOWN = 50
EXPIRES_NS = 1_800 * SECOND
"""oslo.messaging's default of rabbit_transient_queues_ttl: how long its reply and fanout queues outlive their use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonedQueue:
    """One queue without a consumer, as of the newest poll of its vhost."""

    name: str
    vhost: str
    ready: int | None
    unacked: int | None
    lost_ns: int | None  # its last consumer had gone by then; None: it had none since `seen_ns`
    seen_ns: int  # since when it is looked at
    expires_ns: int | None  # when it goes by oslo.messaging's default, at the latest; None: it is of no such kind
    type: str
    node: str

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "name": self.name,
            "vhost": self.vhost,
            "ready": self.ready,
            "unacked": self.unacked,
            "lost_at": iso(self.lost_ns),
            "seen_since": iso(self.seen_ns),
            "expires_at_default": iso(self.expires_ns),
        }


def abandoned(
    reader: Reader, polls: Sequence[QueuePoll], *, vhost: str = "", limit: int = SHOWN
) -> list[AbandonedQueue]:
    """The deepest of them, as of the newest poll of each vhost.

    Whether a queue has an expiry is not sampled. oslo.messaging gives one to reply and fanout queues, and the broker
    begins to count when the last consumer went: by the first look that saw none.
    """
    found: list[AbandonedQueue] = []
    for poll in polls:
        if vhost in ("", poll.vhost):
            rows = reader.abandoned_queues(poll.at_ns - REPEATED_NS, poll.at_ns, 2 * limit)
            found += [_told(one) for one in rows if one.sample.vhost == poll.vhost]
    return sorted(found, key=lambda one: -((one.ready or 0) + (one.unacked or 0)))[:limit]


def _told(one: Abandoned) -> AbandonedQueue:
    sample = one.sample
    return AbandonedQueue(
        name=sample.queue,
        vhost=sample.vhost,
        ready=sample.ready,
        unacked=sample.unacked,
        lost_ns=one.lost_ns,
        seen_ns=one.first_ns,
        expires_ns=_expires_ns(one),
        type=sample.type,
        node=sample.node,
    )


def _expires_ns(one: Abandoned) -> int | None:
    """A queue that was seen without a consumer first may have lost it long before: then nothing is said."""
    kind = family(one.sample.queue)
    if one.lost_ns is None or not (kind == "reply_*" or kind.endswith("_fanout_*")):
        return None
    return one.lost_ns + EXPIRES_NS
