"""Messages become calls, calls become operations: streaming, in any order, in bounded memory.

    feed(message) ... feed(message)   joins by unique_id and msg_id, finds parents, updates operations
    feed_inside(told)                 what a process itself tells of a call, beside what the bus shows or instead of it
    flush()                           what changed since the last flush, as records for one transaction

A call is closed when all that is expected of it has been seen and has had some time to be wrong
(a redelivery, a late copy); what comes after that becomes another part of the same call.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from rpcscope.correlate.agenda import Agenda
from rpcscope.correlate.calls import CallState, descends, restored
from rpcscope.correlate.hearing import Hearing
from rpcscope.correlate.identity import Identity, ProcessState
from rpcscope.correlate.ids import Ids
from rpcscope.correlate.in_flight import InFlight
from rpcscope.correlate.ledger import Ledger
from rpcscope.correlate.limits import Limits
from rpcscope.correlate.news import News
from rpcscope.correlate.operations import OperationState
from rpcscope.correlate.parents import Parents
from rpcscope.correlate.patience import Patience
from rpcscope.correlate.requests_only import RequestParents
from rpcscope.correlate.span_parents import SpanParents
from rpcscope.correlate.standing_in import StandIns, known_before, replied_ns
from rpcscope.correlate.testimony import Testimony, same_method
from rpcscope.correlate.words import (
    CAST,
    DELIVER,
    FANOUT,
    HEARTBEAT,
    HOST,
    NOTIFICATION,
    PUBLISH,
    REDELIVERED,
    REPLY,
    REQUEST,
    UNSEEN,
)
from rpcscope.model import (
    Account,
    Call,
    Flag,
    InFlightSample,
    Inside,
    Message,
    Noted,
    Operation,
    ParentSource,
    Process,
    ProgressSample,
    Resume,
    Side,
    TapPhase,
    Topology,
)
from rpcscope.modes import sight
from rpcscope.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What one flush gives to the store."""

    closed: tuple[Call, ...]
    still_open: tuple[Call, ...]
    settled: tuple[int, ...]  # ids that were given out as still open and are closed now
    operations: tuple[Operation, ...]
    processes: tuple[Process, ...]
    in_flight: tuple[InFlightSample, ...]
    accounts: tuple[Account, ...]
    notices: tuple[Noted, ...]
    progress: tuple[ProgressSample, ...]


class Correlator:
    """The state of one recording."""

    def __init__(
        self,
        rules: Rules,
        recording_id: int,
        *,
        use_traceparent: bool = True,
        mode: str = "",
        limits: Limits | None = None,
    ) -> None:
        """Nothing is seen yet.

        Args:
            mode: of the tap until the first `phase`: where it sees no replies, outcomes are unknown (NONE).
        """
        self._sight = sight(mode)
        self._rules = rules
        self._limits = limits or Limits()
        self._ids = Ids(recording_id)
        self._identity = Identity(self._ids)
        self._handlers = Parents(rules, use_traceparent=use_traceparent)
        self._askers = RequestParents(rules, use_traceparent=use_traceparent)
        self._span_parents = SpanParents() if use_traceparent else None
        self._parents = self._handlers if self._sight.replies else self._askers
        self._calls: dict[str, CallState] = {}  # open, by unique id
        self._by_msg: dict[str, CallState] = {}  # open, by msg id
        self._recent: OrderedDict[str, CallState] = OrderedDict()  # closed, by unique id
        self._recent_msgs: dict[str, CallState] = {}
        self._by_span: OrderedDict[str, CallState] = OrderedDict()  # by the span that sent it
        self._hearing = Hearing()
        self._stand_ins = StandIns()
        self._hears = False  # any process told anything
        self._operations: OrderedDict[str, OperationState] = OrderedDict()
        self._ledger = Ledger()
        self._agenda = Agenda()
        self._news = News()
        self._in_flight = InFlight(self._sight)
        self._patience = Patience(self._limits)
        self._closed: list[Call] = []
        self._settled: list[int] = []
        self.now_ns = 0  # latest event
        self.messages = 0  # publishes
        self.copies = 0  # deliveries
        self.evicted = 0

    def resume(self, resume: Resume) -> None:
        """Go on where an earlier run of the recorder stopped."""
        self._ids = Ids(resume.recording.id, resume.next_ids)
        self._identity = Identity(self._ids)
        processes = {one.id: self._identity.restore(one) for one in resume.processes}
        states: dict[int, OperationState] = {}
        for stored in resume.operations:
            state = states[stored.id] = OperationState(stored.id, stored.request_id)
            state.restore(stored)
            self._operations[stored.request_id] = state
        for call in resume.open_calls:
            self._restore(call, states, processes)

    # ------------------------------------------------------------ input

    def learn(self, topology: Topology) -> None:
        """Take a snapshot of connections and consumers."""
        self._identity.learn(topology)
        self._reattribute()

    def phase(self, phase: TapPhase) -> None:
        """From here on the tap sees what this mode sees; what that hides of open calls becomes unknown."""
        self._sight = sight(phase.mode)
        self._in_flight.look(self._sight, phase.at_ns, self._calls.values())
        if not self._sight.replies:
            self.advance(phase.at_ns)  # what was late by then was seen to be
        self._patience.look(self._sight)
        if not self._sight.requests:
            self._go_dark()
        for call in list(self._calls.values()):
            if not self._sight.replies:
                self._hide(call)
            self._plan(call)
        self._parents = self._handlers if self._sight.replies else self._askers

    def feed(self, m: Message) -> None:
        """Take one sighting of a message."""
        at_ns = m.at_ns
        if at_ns >= self._in_flight.next_ns:
            self._in_flight.tick(at_ns)
        if at_ns > self.now_ns:
            self.now_ns = at_ns
        if self._hears and self._is_told(m):
            return
        process = self._process(m)
        self._identity.seen(process, at_ns)
        if m.event is DELIVER:
            self.copies += 1
            self._patience.sees_deliveries = self._sight.deliveries
            self._identity.consumes(m.connection, m.queue)
        else:
            self.messages += 1
        if m.kind is REPLY or m.kind is HEARTBEAT:
            self._reply(m, process)
        else:
            self._request(m, process)
        if self._identity.found:
            self._reattribute()

    def attribute(self, m: Message) -> None:
        """A publish that came another way before: now it tells who sent it."""
        call = self._calls.get(m.unique_id)
        if call is not None and m.connection:
            call.from_process = self._process(m)
            self._ledger.touch(call)

    def feed_inside(self, told: Inside) -> None:
        """Take what a process tells of its side of a call."""
        if told.at_ns >= self._in_flight.next_ns:
            self._in_flight.tick(told.at_ns)
        self.now_ns = max(self.now_ns, told.at_ns)
        self._hears = True
        process = self._identity.inside(told)
        self._identity.seen(process, told.at_ns)
        testimony = self._hearing.hear(told, process)
        call = testimony.call or self._named(testimony)
        if call is not None:
            self._testify(call, testimony)
        elif self._sight.bus:
            self._hearing.wait(testimony, told.at_ns + self._limits.bus_ns)
        else:
            self._stand_ins.add(testimony)
        self._is_kin(testimony)
        if self._identity.found:
            self._reattribute()

    def advance(self, now_ns: int) -> None:
        """Time passes: callers' times end, complete calls close."""
        self.now_ns = max(self.now_ns, now_ns)
        self._in_flight.tick(self.now_ns)
        self._stand_in(self.now_ns)
        while (call := self._agenda.take(self.now_ns)) is not None:
            if self._is_open(call):
                self._look(call)
        while len(self._calls) > self._limits.open_calls:
            self._evict()
        self._agenda.sweep(len(self._calls))

    def flush(self, *, final: bool = False) -> Changes:
        """What changed since the last flush.

        Args:
            final: the recording is over: calls that are complete are closed without further waiting.
        """
        self._stand_in(None if final else self.now_ns)
        touched = self._ledger.take_calls()
        self.advance(self.now_ns)
        if final:
            for call in [c for c in self._calls.values() if self._patience.may_close_at_end(c)]:
                self._close(call)
        still_open = [c for c in touched if self._is_open(c)]
        for call in still_open:
            call.stored = True
        operations = self._ledger.take_operations()
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
            in_flight=self._in_flight.take_new(),
            accounts=self._hearing.take_new(),
            notices=self._news.take_notices(),
            progress=self._news.take_progress(),
        )
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
        elif call.stands_in and m.clock is not HOST:
            self._yield(call)
        first_publish = m.event is PUBLISH and call.published_ns is None
        another_worker = m.event is DELIVER and (call.delivered_ns is None or m.kind is FANOUT or m.broker_redelivered)
        if not call.is_known:
            self._ledger.uncount(call)
            call.describe(m)
            call.end = self._rules.end_of(m)
            call.blind = not self._sight.replies
            call.operation = call.cause = self._operation(m.request_id)
            call.operation.saw_request(m, self._rules)
            self._news.take(call, m)
            if m.span_id:
                self._remember_span(m.span_id, call)
        call.saw_request(m, process)
        if m.kind is REQUEST:
            self._in_flight.moved(call)
        self._ledger.touch(call)
        if m.kind is NOTIFICATION:
            if self._hears:
                self._hear(call, m)
            self._plan(call)
            return
        if m.reply_q and m.event is PUBLISH:
            self._identity.waits_at(m.connection or m.reply_q, m.reply_q)
        if first_publish:
            self._published(call, m, process.root())
        if another_worker:
            self._delivered(call, process.root())
        if self._hears:
            self._hear(call, m)
        self._plan(call)

    def _process(self, m: Message) -> ProcessState:
        """Who published or consumes. Without connections, callers are known by their reply queue, others not."""
        if m.connection or (self._sight.replies and m.kind is not NOTIFICATION):
            return self._identity.of(m.connection)
        return self._identity.of(m.reply_q) if m.reply_q else ProcessState(0, "")

    def _published(self, call: CallState, m: Message, process: ProcessState) -> None:
        operation = call.operation
        assert operation is not None  # noqa: S101 - described just before
        operation.started_ns = min(operation.started_ns, m.at_ns)
        operation.starter = operation.starter or process
        if (owner := self._parents.owner(call, process)) is not None:
            self._identity.same(owner, process)
            process = process.root()
        self._parents.published(call, process)
        if call.cause is not None and call.cause is not operation:
            self._ledger.mark(call.cause)
        operation.opens(call, self._rules)
        operation.steps(call, self._rules)
        if call.answered:
            operation.replied(call, self._rules)
        self._plan_ended(operation)

    def _delivered(self, call: CallState, process: ProcessState) -> None:
        if not call.answered:
            for orphan in self._parents.delivered(call, process):
                self._ledger.touch(orphan)

    def _reattribute(self) -> None:
        """Connections turned out to be one process: RPCs without a cause may have one now."""
        found, self._identity.found = self._identity.found, []
        for call, process in found:
            if not self._is_open(call) or not self._parents.reconsider(call, process.root()):
                continue
            if call.operation is not None:
                call.operation.relayed(call)
                self._plan_ended(call.operation)
            self._ledger.touch(call)

    # ------------------------------------------------------------ replies

    def _reply(self, m: Message, process: ProcessState) -> None:
        call = self._by_msg.get(m.msg_id) or self._part_of_closed_reply(m.msg_id)
        if call is None:
            call = CallState(self._ids.take(), m.kind, m.unique_id, m.msg_id)
            call.operation = call.cause = self._operation("")
            self._by_msg[m.msg_id] = self._calls[m.unique_id] = call
        elif call.stands_in and m.clock is not HOST:
            self._yield(call)
        was_answered = call.answered
        call.saw_reply(m, process)
        self._ledger.touch(call)
        if m.event is DELIVER:
            self._patience.sees_reply_copies = True
        elif call.to_process is not None and m.kind is REPLY and not call.flags & REDELIVERED:
            self._identity.same(call.to_process, process)
        if call.answered and not was_answered and call.is_known:
            self._in_flight.moved(call)
            self._parents.done(call)
            if call.operation is not None:
                call.operation.replied(call, self._rules)
                self._plan_ended(call.operation)
        self._plan(call)

    def _adopt_reply(self, m: Message) -> CallState | None:
        """The reply was read before its request: give the request its place."""
        call = self._by_msg.get(m.msg_id) if m.msg_id else None
        if call is None or call.is_known:
            return None
        self._calls.pop(call.unique_id, None)
        self._calls[m.unique_id] = call
        return call

    # ------------------------------------------------------------ what processes tell

    def _named(self, testimony: Testimony) -> CallState | None:
        """The call that is meant, as a tap on the bus saw it."""
        by_id = self._calls.get(testimony.unique_id) or self._recent.get(testimony.unique_id)
        by_msg = self._by_msg.get(testimony.msg_id) or self._recent_msgs.get(testimony.msg_id)
        call = by_id or by_msg
        if call is None:
            spans = (self._by_span.get(key) for key in testimony.keys)
            call = next((one for one in spans if one is not None and same_method(one.method, testimony.method)), None)
        return call if call is not None and call.is_known else None

    def _is_told(self, m: Message) -> bool:
        """Whether it is of a call that is stored as its processes told it: the tap was later than was waited for."""
        old = self._recent.get(m.unique_id) or self._recent_msgs.get(m.msg_id)
        return old is not None and old.stands_in and old.unique_id not in self._calls

    def _hear(self, call: CallState, m: Message) -> None:
        """What was told of a call before it was seen, and who was seen at work on what was told."""
        if m.clock is HOST:
            return
        testimony = call.testimony or self._hearing.find(m.unique_id, m.msg_id, m.span_id)
        if testimony is not None:
            self._testify(call, testimony)
            self._is_kin(testimony)

    def _testify(self, call: CallState, testimony: Testimony) -> None:
        is_first = call.testimony is None
        testimony.call, call.testimony = call, testimony
        if call.stands_in:
            if is_first:
                known_before(testimony)
            self._stand_ins.add(testimony)
            self._correct(call, replied_ns(testimony))
            return
        for account in testimony.accounts.values():
            if account.side is Side.CLIENT:
                self._is_sender(call, account.process)
            elif call.kind is not FANOUT:
                self._is_worker(call, account.process)
        if call.kind is CAST and self._is_open(call):
            self._in_flight.moved(call)
            self._plan(call)

    def _correct(self, call: CallState, at_ns: int | None) -> None:
        """A server tells when it replied, after its client has told when it had the reply."""
        if at_ns is not None and call.replied_ns is not None and at_ns < call.replied_ns and self._is_open(call):
            call.replied_ns = at_ns
            self._ledger.touch(call)

    def _is_sender(self, call: CallState, process: ProcessState) -> None:
        if call.from_process is None or not call.from_process.id:
            call.from_process = process
        else:
            self._identity.twin(call.from_process, process)

    def _is_worker(self, call: CallState, process: ProcessState) -> None:
        if call.to_process is not None and call.to_process.id:
            self._identity.twin(call.to_process, process)
            return
        call.to_process = process
        if self._is_open(call):
            self._delivered(call, process.root())
            self._ledger.touch(call)

    def _stand_in(self, now_ns: int | None) -> None:
        """No tap on the bus saw these calls: their processes' words are taken for what it would have seen."""
        for testimony in self._hearing.take_due(now_ns):
            self._stand_ins.add(testimony)
        until_ns = None if now_ns is None else now_ns - self._limits.order_ns
        for testimony, m, process in self._stand_ins.take(until_ns):
            seen = self._by_msg.get(m.msg_id) if testimony.call is None else None
            if seen is not None and not seen.stands_in:  # the bus showed its reply: nothing is set beside that
                testimony.call, seen.testimony = seen, testimony
                continue
            if m.event is DELIVER:
                self.copies += 1
                self._patience.sees_deliveries = True
            else:
                self.messages += 1
            if m.kind is REPLY:
                self._reply(m, process or ProcessState(0, ""))
            else:
                self._request(m, process or ProcessState(0, ""))
            call = self._calls[m.unique_id]
            call.stands_in, call.clock = True, HOST
            testimony.call, call.testimony = call, testimony
            if call.kind is CAST and call.end and testimony.shows_no_ends:
                call.flags |= UNSEEN
            self._is_kin(testimony)

    def _is_kin(self, testimony: Testimony) -> None:
        """Spans may name parents, and now it may be known whose they are."""
        if self._span_parents is None:
            return
        for call, parent in self._span_parents.found(testimony):
            is_named = call.parent is parent and call.parent_source is ParentSource.TRACEPARENT
            if is_named or descends(parent, call):
                continue
            if not self._is_open(call):
                if call.parent_unique_id:
                    continue  # it is stored, and what was found for it stays
                call = self._another_part(call)
            self._parents.named(call, parent)
            if call.operation is not None:
                call.operation.relayed(call)
                self._plan_ended(call.operation)
            if call.cause is not None:
                self._ledger.mark(call.cause)
            self._ledger.touch(call)
            self._plan(call)

    def _yield(self, call: CallState) -> None:
        """A tap on the bus sees a call that was taken for one that it can not see."""
        self.messages -= call.publishes + call.replies
        self.copies -= call.copies
        call.yields()
        self._ledger.touch(call)

    def _remember_span(self, span_id: str, call: CallState) -> None:
        if span_id:
            self._by_span[span_id] = call
            if len(self._by_span) > self._limits.recent_calls:
                self._by_span.popitem(last=False)

    # ------------------------------------------------------------ what the tap does not see

    def _hide(self, call: CallState) -> None:
        """Its end may pass unseen."""
        if call.blind or call.answered or call.timed_out or not call.is_known:
            return
        call.blind = True
        if call.end == "relay":
            call.flags |= UNSEEN
        if call.kind is REQUEST:
            self._handlers.done(call)
        if call.operation is not None:
            call.operation.hides(call)
        self._ledger.touch(call)

    def _go_dark(self) -> None:
        for call in self._calls.values():
            if call.is_known and call.awaits:
                call.flags |= UNSEEN
                self._ledger.touch(call)
        for operation in self._operations.values():
            if operation.goes_dark():
                self._ledger.mark(operation)

    # ------------------------------------------------------------ late events

    def _part_of_closed(self, unique_id: str) -> CallState | None:
        old = self._recent.get(unique_id)
        return self._another_part(old) if old is not None else None

    def _part_of_closed_reply(self, msg_id: str) -> CallState | None:
        old = self._recent_msgs.get(msg_id)
        return self._another_part(old) if old is not None else None

    def _another_part(self, old: CallState) -> CallState:
        """A closed call got another event: its parts are added up when they are read."""
        part = old.next_part(self._ids.take())
        self._calls[part.unique_id] = part
        if part.msg_id:
            self._by_msg[part.msg_id] = part
        return part

    # ------------------------------------------------------------ closing

    def _plan(self, call: CallState) -> None:
        """See to it that the call is looked at when it may be closed."""
        if not self._patience.is_complete(call):
            self._agenda.put_earlier(call, self._patience.until_ns(call))
        elif call.lingers:
            self._agenda.put_earlier(call, self.now_ns + self._patience.linger_ns(call))
        else:
            call.lingers = True
            self._agenda.put(call, self.now_ns + self._patience.linger_ns(call))

    def _plan_ended(self, operation: OperationState) -> None:
        """Casts whose work has ended may be closed."""
        while operation.over:
            cast = operation.over.pop()
            if self._is_open(cast):
                self._plan(cast)

    def _look(self, call: CallState) -> None:
        """Its time has come: close it, or find that the caller waits no longer."""
        if call.lingers and not self._patience.is_complete(call):
            call.lingers = False  # its worker has told meanwhile that it is at it
        if call.lingers or self._is_given_up(call):
            self._patience.ended(call)
            self._close(call)
        else:
            self._plan(call)

    def _is_given_up(self, call: CallState) -> bool:
        if self._patience.is_complete(call) or self._patience.until_ns(call) > self.now_ns:
            return False
        return not self._times_out(call)

    def _times_out(self, call: CallState) -> bool:
        if call.timed_out or call.operation is None or call.deadline_ns() is None:
            return False
        call.timed_out = True
        self._parents.done(call)
        call.operation.timed_out(call)
        self._plan_ended(call.operation)
        self._ledger.touch(call)
        return True

    def _is_open(self, call: CallState) -> bool:
        return self._calls.get(call.unique_id) is call

    def _close(self, call: CallState) -> None:
        if not self._is_open(call):
            return
        if call.touched:
            self._ledger.count(call)
        if not call.answered and call.kind is REQUEST:
            self._parents.done(call)
        call.look_ns = 0
        self._in_flight.closed(call)
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
            self._hearing.forget(old)

    def _evict(self) -> None:
        call = next(iter(self._calls.values()))
        call.flags |= Flag.EVICTED
        if call.operation is not None:
            call.operation.forget(call)
            self._ledger.mark(call.operation)
        self.evicted += 1
        self._close(call)

    def _operation(self, request_id: str) -> OperationState:
        operation = self._operations.get(request_id)
        if operation is None:
            operation = OperationState(self._ids.take(), request_id)
            self._operations[request_id] = operation
        else:
            self._operations.move_to_end(request_id)
        return operation

    # ------------------------------------------------------------ going on

    def _restore(self, stored: Call, operations: dict[int, OperationState], processes: dict[int, ProcessState]) -> None:
        call = restored(stored, self._rules)
        call.blind = call.blind or not self._sight.replies
        call.from_process, call.to_process = processes.get(stored.from_process), processes.get(stored.to_process)
        call.more_copies = tuple((copy.at_ns, processes.get(copy.process)) for copy in stored.more_copies)
        call.operation = operations.get(stored.operation_id)
        call.cause = call.counted_cause = operations.get(stored.cause_id, call.operation)
        self._calls[call.unique_id] = call
        if call.msg_id:
            self._by_msg[call.msg_id] = call
        self.now_ns = max(self.now_ns, call.last_ns)
        self._take_up(call)
        if call.delivered_ns is not None:  # else it may have been taken before, by a tap that saw no deliveries
            self._in_flight.moved(call)
        if not self._sight.replies and call.operation is not None:
            self._ledger.mark(call.operation)  # what it waits for will not be seen
        self._plan(call)

    def _take_up(self, call: CallState) -> None:
        """What its operation waits for and what its process has in hand."""
        if call.operation is None or not call.is_known:
            return
        call.instances = call.operation.only_instance()
        if call.published_ns is not None:
            call.operation.opens(call, self._rules)
        if call.to_process is not None and call.delivered_ns is not None and not call.answered:
            self._parents.delivered(call, call.to_process)
