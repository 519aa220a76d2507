"""What the RPCs of one method, client and topic add up to."""

from __future__ import annotations

from bisect import bisect_left

from rpcscope.export.metrics import catalogue
from rpcscope.export.metrics.news import New
from rpcscope.model import Flag, MessageKind, Outcome

OUTCOMES = ("unknown", *(outcome.name.lower() for outcome in Outcome if outcome), "expected_failure")
SHOWN_FLAGS = tuple(
    flag for flag in Flag if flag not in (Flag.NO_REQUEST, Flag.EXPECTED_FAILURE)
)  # those two are said by the outcome, or are no RPC of their own
_BOUNDS_NS = tuple(int(bound * 1e9) for bound in catalogue.SECONDS)
_BUCKETS = len(_BOUNDS_NS) + 1
_EXPECTED = len(OUTCOMES) - 1
_ANY_FLAG = sum(SHOWN_FLAGS)


class Row:
    """What the calls of one key add up to. Times in nanoseconds."""

    __slots__ = ("client", "client_ns", "flags", "outcomes", "published", "reply_bytes", "request_bytes", "server",
                 "server_ns", "wait", "wait_ns")  # fmt: skip

    def __init__(self) -> None:
        self.published = self.request_bytes = self.reply_bytes = 0
        self.outcomes = [0] * len(OUTCOMES)
        self.client, self.server, self.wait = [0] * _BUCKETS, [0] * _BUCKETS, [0] * _BUCKETS
        self.client_ns = self.server_ns = self.wait_ns = 0
        self.flags: dict[int, int] = {}

    def add(self, one: New) -> None:
        """What is new of a call; the hottest lines of the room."""
        c = one.call
        self.published += one.publishes
        self.request_bytes += one.request_bytes
        published, delivered, replied = c.published_ns, c.delivered_ns, c.replied_ns
        if one.waited and published is not None and delivered is not None:
            self.wait[bisect_left(_BOUNDS_NS, delivered - published)] += 1
            self.wait_ns += delivered - published
        if not one.closed:
            return
        self.reply_bytes += c.reply_bytes
        if c.kind is MessageKind.REQUEST:
            self.outcomes[_EXPECTED if c.flags & Flag.EXPECTED_FAILURE else c.outcome] += 1
            if replied is not None:
                if published is not None and replied >= published:
                    self.client[bisect_left(_BOUNDS_NS, replied - published)] += 1
                    self.client_ns += replied - published
                if delivered is not None and replied >= delivered:
                    self.server[bisect_left(_BOUNDS_NS, replied - delivered)] += 1
                    self.server_ns += replied - delivered
        if c.flags & _ANY_FLAG:
            self.flags[c.flags] = self.flags.get(c.flags, 0) + 1
