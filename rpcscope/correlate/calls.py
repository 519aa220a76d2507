"""One call while it is open: what was seen of it so far, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rpcscope.correlate.words import LATE_REPLY, NO_REQUEST, PUBLISH, REDELIVERED, REPLY, REQUEST, UNSEEN
from rpcscope.model import MOST_COPIES, Call, Clock, Copy, Flag, Message, MessageKind, Outcome, ParentSource

if TYPE_CHECKING:
    from rpcscope.correlate.identity import ProcessState
    from rpcscope.correlate.operations import OperationState
    from rpcscope.correlate.testimony import Testimony
    from rpcscope.rules import Rules

MS = 1_000_000
DEEPEST = 1000  # calls above each other
NOTHING = (0, 0, 0, 0, 0)
"""Publishes, replies, heartbeats, copies, bytes."""

_SAME_IN_PARTS = (
    "blind", "cause", "clock", "delivered_ns", "end", "ended", "exchange", "expiration_ms", "facts", "failure",
    "first_id", "from_process", "instances", "last_ns", "method", "namespace", "operation", "parent_id",
    "parent_source", "parent_unique_id", "published_ns", "replied_ns", "reply_delivered_ns", "routed", "server",
    "stands_in", "testimony", "timed_out", "to_process", "topic", "trace_context", "version",
)  # fmt: skip


class CallState:
    """Mutable twin of `model.Call`. Counters only rise; times are minima: order does not matter."""

    __slots__ = (
        "blind",
        "busy_with",
        "cause",
        "clock",
        "copies",
        "counted",
        "counted_cause",
        "delivered_ns",
        "end",
        "ended",
        "exchange",
        "expiration_ms",
        "facts",
        "failure",
        "first_id",
        "flags",
        "from_process",
        "heartbeats",
        "id",
        "instances",
        "kind",
        "last_ns",
        "last_step",
        "lingers",
        "look_ns",
        "method",
        "more_copies",
        "msg_id",
        "namespace",
        "operation",
        "parent",
        "parent_id",
        "parent_source",
        "parent_unique_id",
        "published_ns",
        "publishes",
        "replied_ns",
        "replies",
        "reply_bytes",
        "reply_delivered_ns",
        "reply_q",
        "request_bytes",
        "routed",
        "server",
        "stands_in",
        "stored",
        "testimony",
        "timed_out",
        "to_process",
        "topic",
        "touched",
        "trace_context",
        "trace_id",
        "unique_id",
        "version",
    )  # fmt: skip

    def __init__(self, id: int, kind: MessageKind, unique_id: str, msg_id: str) -> None:
        self.id = self.first_id = id
        self.kind = kind
        self.unique_id = unique_id
        self.msg_id = msg_id
        self.method = self.namespace = self.version = self.exchange = self.topic = self.server = ""
        self.reply_q = self.trace_id = self.trace_context = self.failure = self.parent_unique_id = ""
        self.instances: tuple[str, ...] = ()
        self.more_copies: tuple[tuple[int, ProcessState | None], ...] = ()
        self.facts: frozenset[str] = frozenset()
        self.operation: OperationState | None = None
        self.cause: OperationState | None = None
        self.parent: CallState | None = None
        self.parent_id = 0
        self.parent_source = ParentSource.NONE
        self.from_process: ProcessState | None = None
        self.to_process: ProcessState | None = None
        self.published_ns: int | None = None
        self.delivered_ns: int | None = None
        self.replied_ns: int | None = None
        self.reply_delivered_ns: int | None = None
        self.last_ns = 0
        self.expiration_ms: int | None = None
        self.clock = Clock.TAP
        self.publishes = self.replies = self.heartbeats = self.copies = 0
        self.request_bytes = self.reply_bytes = 0
        self.routed = -1
        self.flags = 0
        self.end = ""  # how its work is seen to end (Rules.end_of)
        self.ended = False  # a cast's work is over
        self.timed_out = False
        self.blind = False  # the tap saw no replies while it was open: what became of it is not known
        self.busy_with: CallState | None = None  # the last call its handler made
        self.last_step = ""  # the last RPC its handler made
        self.counted = NOTHING  # already in the tallies
        self.counted_cause: OperationState | None = None  # in whose
        self.lingers = False  # complete; closed when it is looked at next
        self.look_ns = 0  # see Agenda
        self.stored = False  # the store holds it as open
        self.touched = False  # changed since the last flush
        self.testimony: Testimony | None = None  # what processes told of it
        self.stands_in = False  # no tap on the bus saw it: its counts and times are what processes told

    @property
    def is_known(self) -> bool:
        """Whether the request itself (its publish or a delivery of it) was seen."""
        return bool(self.method)

    @property
    def answered(self) -> bool:
        """Whether the reply that ends it was published."""
        return self.replied_ns is not None

    @property
    def awaits(self) -> bool:
        """Something that would be seen is still to come: its reply, or the end of its work."""
        return not (self.answered if self.kind is REQUEST else self.ended or not self.end)

    @property
    def is_lost_to_sight(self) -> bool:
        """Its end may have passed unseen: a relay that is refused ends with a reply, any cast while the tap is off."""
        return bool(self.flags & UNSEEN) or (self.blind and self.end == "relay")

    def saw_request(self, m: Message, process: ProcessState) -> None:
        """A publish or a delivery of the request, cast, fanout or notification itself."""
        if m.event is PUBLISH:
            if self.published_ns is not None:
                self.flags |= Flag.REPUBLISHED
            self.publishes += 1
            self.request_bytes += m.size
            if self.published_ns is None or m.at_ns < self.published_ns:
                self.published_ns, self.clock, self.from_process = m.at_ns, m.clock, process
            if m.routed == 0:
                self.flags |= Flag.UNROUTABLE
            if m.routed > self.routed:
                self.routed = m.routed
        else:
            self.copies += 1
            if m.broker_redelivered:
                self.flags |= REDELIVERED
            if self.delivered_ns is None:
                self.delivered_ns, self.to_process = m.at_ns, process
            elif m.at_ns < self.delivered_ns:
                self._keep_copy(self.delivered_ns, self.to_process)
                self.delivered_ns, self.to_process = m.at_ns, process
            else:
                self._keep_copy(m.at_ns, process)
        self._saw(m.at_ns)

    def _keep_copy(self, at_ns: int, process: ProcessState | None) -> None:
        if self.kind is not REQUEST and len(self.more_copies) < MOST_COPIES:
            self.more_copies = (*self.more_copies, (at_ns, process))

    def describe(self, m: Message) -> None:
        """What the request says, the same in its publish and each delivery."""
        self.kind, self.unique_id, self.msg_id = m.kind, m.unique_id, m.msg_id
        self.method, self.namespace, self.version = m.method, m.namespace, m.version
        self.exchange, self.topic, self.server = m.exchange, m.topic, m.server
        self.expiration_ms, self.instances, self.facts = m.expiration_ms, m.instances, m.facts
        self.reply_q, self.trace_id = m.reply_q, m.trace_id
        self.trace_context = f"{m.trace_id}-{m.span_id}" if m.trace_id else ""

    def saw_reply(self, m: Message, process: ProcessState) -> None:
        """A publish or a delivery of a reply or heartbeat."""
        final = m.kind is REPLY
        if m.event is PUBLISH:
            self.reply_bytes += m.size
            if final:
                self.replies += 1
                self.failure = m.failure or self.failure
                if self.replied_ns is None or m.at_ns < self.replied_ns:
                    self.replied_ns = m.at_ns
                if self.to_process is None:
                    self.to_process = process
            else:
                self.heartbeats += 1
        else:
            self.copies += 1
            if final and (self.reply_delivered_ns is None or m.at_ns < self.reply_delivered_ns):
                self.reply_delivered_ns = m.at_ns
        self._saw(m.at_ns)

    def _saw(self, at_ns: int) -> None:
        if at_ns > self.last_ns:
            self.last_ns = at_ns

    def deadline_ns(self) -> int | None:
        """When the caller's time is over."""
        if self.expiration_ms is None or self.published_ns is None:
            return None
        return self.published_ns + self.expiration_ms * MS

    def yields(self) -> None:
        """A tap on the bus sees it after all: what stood in for that is taken back."""
        self.stands_in = False
        self.publishes = self.replies = self.heartbeats = self.copies = self.request_bytes = self.reply_bytes = 0
        self.published_ns = self.delivered_ns = self.replied_ns = self.reply_delivered_ns = None
        self.from_process = self.to_process = None
        self.more_copies = ()
        self.clock, self.timed_out = Clock.TAP, False

    def counts(self) -> tuple[int, int, int, int, int]:
        """Publishes, replies, heartbeats, copies, bytes seen so far."""
        return self.publishes, self.replies, self.heartbeats, self.copies, self.request_bytes + self.reply_bytes

    def next_part(self, id: int) -> CallState:
        """For what comes after it was closed: says and knows the same, has counted nothing."""
        part = CallState(id, self.kind, self.unique_id, self.msg_id)
        for name in _SAME_IN_PARTS:
            setattr(part, name, getattr(self, name))
        return part

    def outcome(self) -> Outcome:
        """By what was seen so far."""
        if self.kind is not REQUEST:
            return Outcome.NONE
        deadline = self.deadline_ns()
        if self.replied_ns is None:
            return self._without_reply()
        if deadline is not None and self.replied_ns > deadline:
            return Outcome.TIMED_OUT
        return Outcome.FAILED if self.failure else Outcome.OK

    def _without_reply(self) -> Outcome:
        if self.timed_out:
            return Outcome.TIMED_OUT
        return Outcome.NONE if self.blind else Outcome.PENDING

    def record(self, closed: bool) -> Call:
        """The call as it is to be stored."""
        flags = self.flags
        outcome = self.outcome()
        if outcome is Outcome.TIMED_OUT and self.replied_ns is not None:
            flags |= LATE_REPLY
        if self.published_ns is None:
            flags |= NO_REQUEST
        if closed and outcome is Outcome.PENDING:
            outcome = Outcome.UNANSWERED
        return Call(
            id=self.id,
            kind=self.kind,
            outcome=outcome,
            flags=int(flags),
            unique_id=self.unique_id,
            msg_id=self.msg_id,
            operation_id=self.operation.id if self.operation else 0,
            cause_id=self.cause.id if self.cause else 0,
            parent_id=self.parent_id,
            parent_unique_id=self.parent_unique_id,
            parent_source=self.parent_source,
            method=self.method,
            namespace=self.namespace,
            version=self.version,
            exchange=self.exchange,
            topic=self.topic,
            server=self.server,
            from_process=self.from_process.root().id if self.from_process else 0,
            to_process=self.to_process.root().id if self.to_process else 0,
            published_ns=self.published_ns,
            delivered_ns=self.delivered_ns,
            replied_ns=self.replied_ns,
            reply_delivered_ns=self.reply_delivered_ns,
            last_ns=self.last_ns,
            expiration_ms=self.expiration_ms,
            clock=self.clock,
            publishes=self.publishes,
            replies=self.replies,
            heartbeats=self.heartbeats,
            copies=self.copies,
            request_bytes=self.request_bytes,
            reply_bytes=self.reply_bytes,
            routed=self.routed,
            failure=self.failure,
            trace_context=self.trace_context,
            more_copies=tuple(
                Copy(at_ns=at_ns, process=process.root().id if process else 0) for at_ns, process in self.more_copies
            ),
            closed=closed,
        )


_STORED = (
    "clock", "copies", "delivered_ns", "exchange", "expiration_ms", "failure", "flags", "heartbeats", "last_ns",
    "method", "namespace", "parent_id", "parent_source", "parent_unique_id", "published_ns", "publishes", "replied_ns",
    "replies", "reply_bytes", "reply_delivered_ns", "request_bytes", "routed", "server", "topic", "trace_context",
    "version",
)  # fmt: skip


def restored(stored: Call, rules: Rules) -> CallState:
    """A call that an earlier run of the recorder left open."""
    call = CallState(stored.id, stored.kind, stored.unique_id, stored.msg_id)
    for name in _STORED:
        setattr(call, name, getattr(stored, name))
    call.end = rules.end_of(stored)
    call.blind = stored.kind is REQUEST and stored.outcome is Outcome.NONE
    call.stands_in = stored.clock is Clock.HOST
    call.stored = True
    call.counted = call.counts()
    return call


def descends(call: CallState, other: CallState) -> bool:
    """Whether a call is another one, or lies below it: whoever sends may name parents as it likes."""
    above: CallState | None = call
    for _ in range(DEEPEST):
        if above is None or above is other:
            return above is other
        above = above.parent
    return True
