"""Messages become calls, calls become operations: streaming, in any order, in bounded memory.

    feed(message) ... feed(message)   joins by unique_id and msg_id, finds parents, updates operations
    flush()                           what changed since the last flush, as records for one transaction

A call is closed when all that is expected of it has been seen and has had some time to be wrong
(a redelivery, a late copy); what comes after that becomes another part of the same call.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from rpcscope.correlate.calls import CallState
from rpcscope.correlate.identity import Identity, ProcessState
from rpcscope.correlate.ids import Ids
from rpcscope.correlate.operations import OperationState
from rpcscope.correlate.parents import Parents
from rpcscope.model import Call, Event, Flag, Message, MessageKind, Operation, Process, Resume, Topology
from rpcscope.rules import Rules

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how many. Times are nanoseconds of the recording's own clock."""

    linger_ns: int = 2 * SECOND  # after all expected was seen
    undelivered_ns: int = 600 * SECOND  # a cast that nobody takes from its queue
    late_ns: int = 600 * SECOND  # after a caller's time is over
    unanswered_ns: int = 86_400 * SECOND  # a call without a timeout
    open_calls: int = 200_000
    recent_calls: int = 20_000  # closed ones that late events may still join
    operations: int = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What one flush gives to the store."""

    closed: tuple[Call, ...]
    still_open: tuple[Call, ...]
    settled: tuple[int, ...]  # ids that were given out as still open and are closed now
    operations: tuple[Operation, ...]
    processes: tuple[Process, ...]


class Correlator:
    """The state of one recording."""

    def __init__(
        self, rules: Rules, recording_id: int, *, use_traceparent: bool = True, limits: Limits | None = None
    ) -> None:
        self._rules = rules
        self._limits = limits or Limits()
        self._ids = Ids(recording_id)
        self._identity = Identity(self._ids)
        self._parents = Parents(rules, use_traceparent=use_traceparent)
        self._calls: dict[str, CallState] = {}  # open, by unique id
        self._by_msg: dict[str, CallState] = {}  # open, by msg id
        self._recent: OrderedDict[str, CallState] = OrderedDict()  # closed, by unique id
        self._recent_msgs: dict[str, CallState] = {}
        self._operations: OrderedDict[str, OperationState] = OrderedDict()
        self._touched_calls: list[CallState] = []
        self._touched_operations: dict[int, OperationState] = {}
        self._closing: deque[tuple[int, CallState]] = deque()  # complete; to be closed at that time
        self._deadlines: list[tuple[int, int, CallState]] = []  # heap
        self._tie = count()
        self._closed: list[Call] = []
        self._settled: list[int] = []
        self._sees_deliveries = False
        self.now_ns = 0  # latest event
        self.messages = 0  # publishes
        self.copies = 0  # deliveries
        self.evicted = 0

    def resume(self, resume: Resume) -> None:
        """Go on where an earlier run of the recorder stopped."""
        self._ids = Ids(resume.recording.id, resume.next_ids)
        self._identity = Identity(self._ids)
        for process in resume.processes:
            self._identity.restore(process)
        states: dict[int, OperationState] = {}
        for stored in resume.operations:
            state = states[stored.id] = OperationState(stored.id, stored.request_id)
            state.restore(stored)
            self._operations[stored.request_id] = state
        for call in resume.open_calls:
            self._restore(call, states)

    # ------------------------------------------------------------ input

    def learn(self, topology: Topology) -> None:
        """Take a snapshot of connections and consumers."""
        self._identity.learn(topology)
        self._reattribute()

    def feed(self, m: Message) -> None:
        """Take one sighting of a message."""
        self.now_ns = max(self.now_ns, m.at_ns)
        process = self._identity.of(m.connection)
        self._identity.seen(process, m.at_ns)
        if m.event is Event.DELIVER:
            self.copies += 1
            self._sees_deliveries = True
            self._identity.consumes(m.connection, m.queue)
        else:
            self.messages += 1
        if m.kind in (MessageKind.REPLY, MessageKind.HEARTBEAT):
            self._reply(m, process)
        else:
            self._request(m, process)
        if self._identity.found:
            self._reattribute()

    def advance(self, now_ns: int) -> None:
        """Time passes: callers' times end, complete calls close."""
        self.now_ns = max(self.now_ns, now_ns)
        while self._deadlines and self._deadlines[0][0] <= self.now_ns:
            self._overdue(heappop(self._deadlines)[2])
        while self._closing and self._closing[0][0] <= self.now_ns:
            self._close(self._closing.popleft()[1])
        while len(self._calls) > self._limits.open_calls:
            self._evict()

    def flush(self, *, final: bool = False) -> Changes:
        """What changed since the last flush.

        Args:
            final: the recording is over: calls that are complete are closed without further waiting.
        """
        touched, self._touched_calls = self._touched_calls, []
        for call in touched:
            call.touched = False
            self._count(call)
        self.advance(self.now_ns)
        if final:
            while self._closing:
                self._close(self._closing.popleft()[1])
        still_open = [c for c in touched if self._is_open(c)]
        for call in still_open:
            call.stored = True
        operations = list(self._touched_operations.values())
        for operation in operations:
            operation.settle()
        closed, self._closed = self._closed, []
        settled, self._settled = self._settled, []
        changes = Changes(
            closed=tuple(closed),
            still_open=tuple(call.record(closed=False) for call in still_open),
            settled=tuple(settled),
            operations=tuple(operation.record(self._rules) for operation in operations),
            processes=tuple(process.record() for process in self._identity.touched.values()),
        )
        self._touched_operations = {}
        self._identity.touched = {}
        while len(self._operations) > self._limits.operations:
            self._operations.popitem(last=False)
        return changes

    # ------------------------------------------------------------ requests

    def _request(self, m: Message, process: ProcessState) -> None:
        call = self._calls.get(m.unique_id) or self._part_of_closed(m.unique_id) or self._adopt_reply(m)
        if call is None:
            call = CallState(self._ids.take(), m.kind, m.unique_id, m.msg_id)
            self._calls[m.unique_id] = call
            if m.msg_id:
                self._by_msg[m.msg_id] = call
        first_publish = m.event is Event.PUBLISH and not call.publishes
        first_delivery = m.event is Event.DELIVER and call.delivered_ns is None
        if not call.is_known:
            self._uncount(call)
            call.describe(m)
            call.end = self._rules.end_of(m)
            call.operation = call.cause = self._operation(m.request_id)
            call.operation.saw_request(m, self._rules)
        call.saw_request(m, process)
        self._touch(call)
        if m.kind is MessageKind.NOTIFICATION:
            self._when_complete(call)
            return
        if m.reply_q and m.event is Event.PUBLISH:
            self._identity.waits_at(m.connection, m.reply_q)
        if first_publish:
            self._published(call, m, process.root())
        if first_delivery:
            self._delivered(call, process.root())
        self._when_complete(call)

    def _published(self, call: CallState, m: Message, process: ProcessState) -> None:
        operation = call.operation
        assert operation is not None  # noqa: S101 - described just before
        operation.started_ns = min(operation.started_ns, m.at_ns)
        self._parents.published(call, process)
        if call.cause is not None and call.cause is not operation:
            self._touched_operations[call.cause.id] = call.cause
        operation.opens(call, self._rules)
        operation.steps(call, self._rules)
        deadline = call.deadline_ns()
        if call.kind is MessageKind.REQUEST and not call.answered:
            self._remind(deadline or m.at_ns + self._limits.unanswered_ns, call)
        elif call.answered:
            operation.replied(call, self._rules)

    def _delivered(self, call: CallState, process: ProcessState) -> None:
        if not call.answered:
            for orphan in self._parents.delivered(call, process):
                self._touch(orphan)

    def _reattribute(self) -> None:
        """Connections turned out to be one process: RPCs without a cause may have one now."""
        found, self._identity.found = self._identity.found, []
        for call, process in found:
            before = call.cause
            if not self._is_open(call) or not self._parents.reconsider(call, process.root()):
                continue
            if call.cause is not before and before is not None and call.cause is not None:
                before.by_cause.add(call.kind, *(-n for n in call.counted))
                call.cause.by_cause.add(call.kind, *call.counted)
                self._touched_operations[before.id] = before
                self._touched_operations[call.cause.id] = call.cause
            if call.operation is not None:
                call.operation.relayed(call)
            self._touch(call)

    # ------------------------------------------------------------ replies

    def _reply(self, m: Message, process: ProcessState) -> None:
        call = self._by_msg.get(m.msg_id) or self._part_of_closed_reply(m.msg_id)
        if call is None:
            call = CallState(self._ids.take(), m.kind, m.unique_id, m.msg_id)
            call.operation = call.cause = self._operation("")
            self._by_msg[m.msg_id] = self._calls[m.unique_id] = call
        was_answered = call.answered
        call.saw_reply(m, process)
        self._touch(call)
        if m.event is Event.PUBLISH and call.to_process is not None and m.kind is MessageKind.REPLY:
            self._identity.same(call.to_process, process)
        if call.answered and not was_answered and call.is_known:
            self._parents.done(call)
            if call.operation is not None:
                call.operation.replied(call, self._rules)
        self._when_complete(call)

    def _adopt_reply(self, m: Message) -> CallState | None:
        """The reply was read before its request: give the request its place."""
        call = self._by_msg.get(m.msg_id) if m.msg_id else None
        if call is None or call.is_known:
            return None
        self._calls.pop(call.unique_id, None)
        self._calls[m.unique_id] = call
        return call

    # ------------------------------------------------------------ late events

    def _part_of_closed(self, unique_id: str) -> CallState | None:
        old = self._recent.get(unique_id)
        return self._another_part(old) if old is not None else None

    def _part_of_closed_reply(self, msg_id: str) -> CallState | None:
        old = self._recent_msgs.get(msg_id)
        return self._another_part(old) if old is not None else None

    def _another_part(self, old: CallState) -> CallState:
        """A closed call got another event: its parts are added up when they are read."""
        part = CallState(self._ids.take(), old.kind, old.unique_id, old.msg_id)
        for name in ("method", "namespace", "version", "exchange", "topic", "server", "instances", "operation", "cause",
                     "parent_id", "parent_unique_id", "parent_source", "expiration_ms"):  # fmt: skip
            setattr(part, name, getattr(old, name))
        self._calls[part.unique_id] = part
        if part.msg_id:
            self._by_msg[part.msg_id] = part
        return part

    # ------------------------------------------------------------ closing

    def _when_complete(self, call: CallState) -> None:
        """Plan to close a call once nothing more is expected of it."""
        kind = call.kind
        if kind is MessageKind.REQUEST:
            if not call.answered or not call.is_known:
                if not call.is_known or not call.publishes:
                    self._remind(call.last_ns + self._limits.late_ns, call)
                return
        elif self._sees_deliveries and not call.copies and call.routed != 0 and kind is MessageKind.CAST:
            self._remind(call.last_ns + self._limits.undelivered_ns, call)
            return
        self._closing.append((self.now_ns + self._limits.linger_ns, call))

    def _overdue(self, call: CallState) -> None:
        if not self._is_open(call):
            return
        if call.kind is MessageKind.REQUEST and call.is_known and not call.answered and not call.timed_out:
            call.timed_out = True
            self._parents.done(call)
            if call.operation is not None:
                call.operation.timed_out(call)
            self._touch(call)
            self._remind(self.now_ns + self._limits.late_ns, call)
        else:
            self._close(call)

    def _remind(self, at_ns: int, call: CallState) -> None:
        heappush(self._deadlines, (at_ns, next(self._tie), call))

    def _is_open(self, call: CallState) -> bool:
        return self._calls.get(call.unique_id) is call

    def _close(self, call: CallState) -> None:
        if not self._is_open(call):
            return
        if call.touched:
            self._count(call)
        del self._calls[call.unique_id]
        if self._by_msg.get(call.msg_id) is call:
            del self._by_msg[call.msg_id]
        self._closed.append(call.record(closed=True))
        if call.stored:
            self._settled.append(call.id)
        self._recent[call.unique_id] = call
        if call.msg_id:
            self._recent_msgs[call.msg_id] = call
        if len(self._recent) > self._limits.recent_calls:
            _, old = self._recent.popitem(last=False)
            if self._recent_msgs.get(old.msg_id) is old:
                del self._recent_msgs[old.msg_id]
            old.parent = None

    def _evict(self) -> None:
        call = next(iter(self._calls.values()))
        call.flags |= Flag.EVICTED
        self.evicted += 1
        self._close(call)

    # ------------------------------------------------------------ counting

    def _operation(self, request_id: str) -> OperationState:
        operation = self._operations.get(request_id)
        if operation is None:
            operation = OperationState(self._ids.take(), request_id)
            self._operations[request_id] = operation
        else:
            self._operations.move_to_end(request_id)
        return operation

    def _touch(self, call: CallState) -> None:
        if not call.touched:
            call.touched = True
            self._touched_calls.append(call)
        operation = call.operation
        if operation is not None:
            operation.last_ns = max(operation.last_ns, call.last_ns)
            self._touched_operations[operation.id] = operation

    def _count(self, call: CallState) -> None:
        """Add what is new of a call to its operation, by request id and by cause."""
        operation = call.operation
        if operation is None:
            return
        now = (call.publishes, call.replies, call.heartbeats, call.copies, call.request_bytes + call.reply_bytes)
        new = [a - b for a, b in zip(now, call.counted, strict=True)]
        call.counted = now
        operation.by_request.add(call.kind, *new)
        operation.last_ns = max(operation.last_ns, call.last_ns)
        self._touched_operations[operation.id] = operation
        cause = call.cause or operation
        cause.by_cause.add(call.kind, *new)
        cause.last_ns = max(cause.last_ns, call.last_ns)
        self._touched_operations[cause.id] = cause

    def _uncount(self, call: CallState) -> None:
        """A reply found its request: what was counted as nobody's goes to the operation it belongs to."""
        if call.operation is None or call.counted == (0, 0, 0, 0, 0):
            return
        taken = [-n for n in call.counted]
        call.operation.by_request.add(call.kind, *taken)
        call.operation.by_cause.add(call.kind, *taken)
        self._touched_operations[call.operation.id] = call.operation
        call.counted = (0, 0, 0, 0, 0)

    def _restore(self, stored: Call, operations: dict[int, OperationState]) -> None:
        call = CallState(stored.id, stored.kind, stored.unique_id, stored.msg_id)
        for name in ("flags", "method", "namespace", "version", "exchange", "topic", "server", "parent_id",
                     "parent_unique_id", "parent_source", "published_ns", "delivered_ns", "replied_ns", "reply_delivered_ns",
                     "last_ns", "expiration_ms", "clock", "publishes", "replies", "heartbeats", "copies", "request_bytes",
                     "reply_bytes", "routed", "failure"):  # fmt: skip
            setattr(call, name, getattr(stored, name))
        call.stored = True
        call.operation = operations.get(stored.operation_id)
        call.cause = operations.get(stored.cause_id, call.operation)
        call.counted = (
            call.publishes,
            call.replies,
            call.heartbeats,
            call.copies,
            call.request_bytes + call.reply_bytes,
        )
        self._calls[call.unique_id] = call
        if call.msg_id:
            self._by_msg[call.msg_id] = call
        if call.operation is not None and call.is_known:
            call.operation.opens(call, self._rules)
            if call.kind is MessageKind.REQUEST and not call.answered:
                self._remind(call.deadline_ns() or call.last_ns + self._limits.unanswered_ns, call)
        self._when_complete(call)
