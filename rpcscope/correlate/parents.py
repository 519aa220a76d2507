"""Which request caused an RPC, from what the broker shows.

A handler runs in one process; the RPCs it makes come from that process, mostly with its request id.
So the parent of an RPC is a request that its process has in hand: delivered to it and not answered.
In order (measured against the spans of a real nova, docs/pipeline.md):

1. requests of methods that never cause an RPC are no candidates (Rules.leaves);
2. same trace id where the message has one, else same request id;
3. an action event belongs to the handler it is named after;
4. one that names the same server is preferred;
5. one whose own last call is still unanswered is busy: its thread waits;
6. of several, the one whose handler made the usual step before (learned as it goes), then the latest delivered.

Where nothing names the processes (no management API), an RPC of an unknown connection whose request id is in
hand at just one process that it may be (it waits at no other reply queue) is taken for that process's own.

An RPC whose request id is stale (Rules.follows) takes the parent of the last call of the method it follows.

What a span names as the parent is believed over all of these. Where processes tell for themselves, a request that
was just answered may still cause an RPC: its handler gave the work to a thread.
"""

from __future__ import annotations

from collections import OrderedDict

from rpcscope.correlate.calls import CallState, descends
from rpcscope.correlate.identity import ProcessState
from rpcscope.correlate.nameless import Nameless
from rpcscope.correlate.words import HOST, REQUEST
from rpcscope.model import ParentSource
from rpcscope.rules import Rules
from rpcscope.rules.hands import Habits, in_hand

ORPHAN_NS = 200_000_000  # a delivery may be traced this much after what it caused
JUST_ENDED_NS = 1_000_000_000  # between the end of a handler and what a thread does for it
MAX_HANDS = 256  # of one request id in one process
MAX_KEYS = 4096  # request ids with something in hand, in one process
_EVENT = "event:"


class Parents:
    """Finds the parent of each RPC as it is published."""

    def __init__(self, rules: Rules, *, use_traceparent: bool = True) -> None:
        self._rules = rules
        self._leaders = frozenset(rules.follows.values())
        self._use_traceparent = use_traceparent
        self._holders: OrderedDict[str, list[ProcessState]] = OrderedDict()  # request id -> unnamed processes
        self._habits = Habits()
        self._nameless = Nameless(rules)

    def owner(self, call: CallState, process: ProcessState) -> ProcessState | None:
        """The unnamed process that an unnamed publisher must be, judged by what is in hand; None when unsure."""
        operation = call.operation
        if process.program or operation is None or operation.request_id in process.hands:
            return None
        if operation.starter is not None and operation.starter.root() is process:
            return None  # who began it may go on with it
        holders = {holder.root() for holder in self._holders.get(operation.request_id, ())}
        able = [
            holder
            for holder in holders
            if holder is not process
            and not holder.program
            and not (holder.waits and process.waits)
            and any(not hand.answered for hand in holder.hands.get(operation.request_id, ()))
        ]
        return able[0] if len(able) == 1 else None

    def published(self, call: CallState, process: ProcessState) -> CallState | None:
        """Attribute a call that `process` has just published; its parent, or None."""
        leader = self._rules.follows.get(call.method)
        if leader is not None and leader in process.last_leader:
            return self._follow(call, process.last_leader[leader])
        parent, source = self._find(call, process)
        if call.method in self._leaders:
            process.last_leader[call.method] = call
        self._nameless.asked(call, process)
        if parent is None and call.clock is HOST:
            parent, source = self._just_ended(call, process)
        if parent is None and (followed := self._nameless.leader_of(call, process)) is not None:
            return self._follow(call, followed)
        if parent is None and call.operation is not None:
            process.orphans.append(call)
        return self._attribute(call, parent, source)

    def delivered(self, call: CallState, process: ProcessState) -> list[CallState]:
        """`process` has `call` in hand now; the RPCs that turn out to be caused by it."""
        if self._rules.is_leaf(call.method) or call.operation is None:
            return []
        for key in filter(None, (call.operation.request_id, call.trace_id if self._use_traceparent else "")):
            hands = process.hands.get(key)
            if hands is None:
                _make_room(process)
                hands = process.hands[key] = []
            if call not in hands:
                hands.append(call)
                del hands[:-MAX_HANDS]
        if not process.program:
            self._holds(call.operation.request_id, process)
        at_ns = call.delivered_ns or 0
        adopted = [
            orphan
            for orphan in process.orphans
            if orphan.operation is call.operation
            and orphan is not call
            and at_ns - (orphan.published_ns or 0) < ORPHAN_NS
            and not descends(call, orphan)
        ]
        for orphan in adopted:
            process.orphans.remove(orphan)
            self._attribute(orphan, call, ParentSource.INFERRED)
        return adopted

    def _holds(self, request_id: str, process: ProcessState) -> None:
        holders = self._holders.setdefault(request_id, [])
        if process not in holders:
            holders.append(process)
        if len(self._holders) > MAX_KEYS:
            self._holders.popitem(last=False)

    def reconsider(self, call: CallState, process: ProcessState) -> bool:
        """The publisher of a call became known after it: look for its cause again; whether one was found."""
        at_ns = call.published_ns
        if call.parent is not None or call.operation is None or at_ns is None:
            return False
        leader = process.last_leader.get(self._rules.follows.get(call.method, ""))
        if leader is not None and (leader.published_ns or 0) <= at_ns:
            call.cause = leader.cause
            return self._attribute(call, leader.parent, ParentSource.INFERRED) is not None
        hands = [*process.past, *process.hands.get(call.operation.request_id, ())]
        pool = [h for h in hands if h.operation is call.operation and in_hand(h, at_ns)]
        found = self._choose(call, pool, process)
        return self._attribute(call, found, ParentSource.INFERRED) is not None

    def named(self, call: CallState, parent: CallState) -> None:
        """A span says which request it was whose handling caused this call."""
        before = call.parent
        if before is not None and before.busy_with is call:
            before.busy_with = None
        sender = call.from_process.root() if call.from_process is not None else None
        if sender is not None and call in sender.orphans:
            sender.orphans.remove(call)
        self._attribute(call, parent, ParentSource.TRACEPARENT)

    def done(self, call: CallState) -> None:
        """A call was answered: its handler is over, and the handler that made it is free again."""
        if call.parent is not None and call.parent.busy_with is call:
            call.parent.busy_with = None
        process = call.to_process.root() if call.to_process is not None else None
        if process is None or call.operation is None:
            return
        if not self._rules.is_leaf(call.method):
            process.past.append(call)
        for key in (call.operation.request_id, call.trace_id):
            hands = process.hands.get(key)
            if hands and call in hands:
                hands.remove(call)
                if not hands:
                    del process.hands[key]

    def _follow(self, call: CallState, leader: CallState) -> CallState | None:
        call.cause = leader.cause
        return self._attribute(call, leader.parent, ParentSource.INFERRED)

    def _find(self, call: CallState, process: ProcessState) -> tuple[CallState | None, ParentSource]:
        if self._use_traceparent and call.trace_id and (hands := process.hands.get(call.trace_id)):
            found = self._choose(call, hands, process)
            if found is not None:
                return found, ParentSource.TRACEPARENT
        if call.operation is None:
            return None, ParentSource.NONE
        hands = process.hands.get(call.operation.request_id)
        found = self._choose(call, hands, process) if hands else None
        return (found, ParentSource.INFERRED) if found is not None else (None, ParentSource.NONE)

    def _just_ended(self, call: CallState, process: ProcessState) -> tuple[CallState | None, ParentSource]:
        """A handler that hands its work to a thread may end before the work begins."""
        since_ns = (call.published_ns or 0) - JUST_ENDED_NS
        pool = [hand for hand in process.past if hand.operation is call.operation and _ended_ns(hand) >= since_ns]
        found = self._choose(call, [hand for hand in pool if not descends(hand, call)], process)
        return (found, ParentSource.INFERRED) if found is not None else (None, ParentSource.NONE)

    def _choose(self, call: CallState, hands: list[CallState], process: ProcessState) -> CallState | None:
        pool = [hand for hand in hands if hand is not call]
        if len(pool) > 1:
            pool = self._named_by_event(call, pool) or pool
            pool = [h for h in pool if same_server(h, call)] or pool
            pool = [h for h in pool if not _busy(h, process)] or pool
            pool = [h for h in pool if not h.ended] or pool
        if len(pool) > 1 and not call.instances:
            pool = self._habitual(call, pool)
        return pool[-1] if pool else None

    @staticmethod
    def _named_by_event(call: CallState, pool: list[CallState]) -> list[CallState]:
        names = [fact[len(_EVENT) :] for fact in call.facts if fact.startswith(_EVENT)]
        if not names:
            return []
        return [hand for hand in pool if names[0] in (hand.end, f"compute_{hand.method}")]

    def _habitual(self, call: CallState, pool: list[CallState]) -> list[CallState]:
        def seen(hand: CallState) -> int:
            return self._habits.seen(hand.method, hand.last_step, call.method)

        most = max(map(seen, pool))
        return [hand for hand in pool if seen(hand) == most]

    def _attribute(self, call: CallState, parent: CallState | None, source: ParentSource) -> CallState | None:
        if parent is None:
            call.cause = call.cause or call.operation
            return None
        call.parent, call.parent_source = parent, source
        call.parent_id, call.parent_unique_id = parent.id, parent.unique_id
        call.cause = parent.cause
        self._habits.learn(parent.method, parent.last_step, call.method)
        parent.last_step = call.method
        if call.kind is REQUEST and not call.answered:
            parent.busy_with = call
        return parent


def _ended_ns(hand: CallState) -> int:
    return hand.replied_ns or 0


def _make_room(process: ProcessState) -> None:
    """Casts stay in hand, since nothing on the wire says when a handler ends: the oldest make room."""
    if len(process.hands) >= MAX_KEYS:
        for key in list(process.hands)[: MAX_KEYS // 2]:
            del process.hands[key]


def _busy(hand: CallState, process: ProcessState) -> bool:
    """Whether its handler in this process waits for a reply; a fanout has a handler in each of its processes."""
    last = hand.busy_with
    if last is None or last.answered or last.timed_out:
        return False
    return last.from_process is None or last.from_process.root() is process


def same_server(hand: CallState, call: CallState) -> bool:
    """Whether both name one server."""
    return bool(call.instances) and not set(hand.instances).isdisjoint(call.instances)
