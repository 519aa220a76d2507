"""Calls: how they are joined, how they end, when they are closed, and how many are kept."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import replace
from typing import Any

import pytest

from rpcscope.correlate import Correlator, Limits, agenda, identity, operations, parents
from rpcscope.correlate.calls import CallState
from rpcscope.correlate.ledger import Ledger
from rpcscope.correlate.operations import OperationState
from rpcscope.decode import Decoder
from rpcscope.model import Clock, Flag, Message, MessageKind, Observation, Outcome, ParentSource, Status, Tally
from rpcscope.rules import hands, load_rules
from tests.support.bus import SECOND, Bus, Rpc, Service
from tests.support.memory import Memory, record
from tests.support.trees import by_hand


class Wire:
    """A bus with a client and two workers of one topic."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.client = self.bus.service("client")
        self.worker = self.bus.service("worker", "work", "w1")
        self.other = self.bus.service("worker", "work", "w2")
        self.rid = self.bus.request_id()

    def call(self, method: str = "do", **more: Any) -> Rpc:
        return self.bus.call(self.client, self.worker, method, {}, request_id=self.rid, **more)

    def tick(self, seconds: float = 0) -> None:
        """Time passes, and another operation shows it."""
        self.bus.wait(seconds)
        self.bus.notify(self.other, "tick", self.bus.request_id())

    def memory(self, **options: Any) -> Memory:
        return record([self.bus.topology(), *self.bus.events], **options)


@pytest.fixture
def wire() -> Wire:
    return Wire()


# ------------------------------------------------------------------ one call


def test_a_call_has_its_four_times_its_sizes_and_both_processes(wire: Wire) -> None:
    rpc = wire.call()
    wire.bus.reply(rpc)
    memory = wire.memory()
    call = memory.call(rpc.unique_id)
    at = [one.at_ns for one in wire.bus.events]
    assert [call.published_ns, call.delivered_ns, call.replied_ns, call.reply_delivered_ns] == at
    assert (call.request_bytes, call.reply_bytes) == (wire.bus.events[0].size, wire.bus.events[2].size)
    assert (call.publishes, call.replies, call.copies, call.routed, call.closed) == (1, 1, 2, 1, True)
    assert memory.process(call.from_process).program == "client"
    assert memory.process(call.to_process).host == "w1"


def test_the_expiration_decides_over_a_timeout_and_never_the_monitor(wire: Wire) -> None:
    fast = wire.call(timeout_ms=120_000, monitor_s=1)
    wire.bus.wait(100)
    wire.bus.reply(fast)
    slow = wire.call(timeout_ms=1_000, monitor_s=300)
    wire.bus.wait(2)
    wire.bus.reply(slow)
    memory = wire.memory()
    assert memory.call(fast.unique_id).outcome is Outcome.OK
    assert memory.call(slow.unique_id).outcome is Outcome.TIMED_OUT


def test_a_reply_after_the_callers_time_is_late(wire: Wire) -> None:
    rpc = wire.call()
    wire.bus.wait(64)
    wire.tick()
    wire.bus.reply(rpc, failure="Boom")
    call = wire.memory().call(rpc.unique_id)
    assert (call.outcome, call.failure, call.replies) == (Outcome.TIMED_OUT, "Boom", 1)
    assert call.flags & Flag.LATE_REPLY


def test_a_reply_in_time_is_not_late(wire: Wire) -> None:
    rpc = wire.call()
    wire.bus.wait(59)
    wire.bus.reply(rpc)
    call = wire.memory().call(rpc.unique_id)
    assert (call.outcome, call.flags) == (Outcome.OK, 0)


def test_only_the_class_of_a_failure_is_kept(wire: Wire) -> None:
    rpc = wire.call()
    wire.bus.reply(rpc, failure="Boom")
    call = wire.memory().call(rpc.unique_id)
    assert (call.outcome, call.failure) == (Outcome.FAILED, "Boom")
    assert "PS7q" not in repr(call)


def test_a_call_without_a_timeout_is_unanswered_and_never_timed_out(wire: Wire) -> None:
    rpc = wire.call(timeout_ms=None)
    wire.tick(86_401)
    wire.tick()
    call = wire.memory(batch_events=1).call(rpc.unique_id)
    assert (call.outcome, call.closed) == (Outcome.UNANSWERED, True)


def test_a_call_waits_for_its_whole_timeout_when_its_delivery_was_read_first(wire: Wire) -> None:
    rpc = wire.call(timeout_ms=1_800_000)
    wire.bus.events.reverse()
    wire.tick(700)
    wire.tick()
    call = wire.memory(batch_events=1).call(rpc.unique_id)
    assert (call.outcome, call.closed) == (Outcome.PENDING, False)


def test_a_call_is_pending_while_the_recording_goes_on(wire: Wire) -> None:
    rpc = wire.call()
    wire.tick(30)
    call = wire.memory(ended=False).call(rpc.unique_id)
    assert (call.outcome, call.closed) == (Outcome.PENDING, False)


def test_a_call_that_only_its_delivery_shows_has_no_request(wire: Wire) -> None:
    rpc = wire.call()
    wire.bus.reply(rpc)
    memory = record(wire.bus.events[1:])
    call = memory.call(rpc.unique_id)
    assert (call.outcome, call.publishes, call.method) == (Outcome.OK, 0, "do")
    assert call.flags & Flag.NO_REQUEST
    assert memory.operation(wire.rid).by_request.replies == 1


def test_heartbeats_are_counted_and_end_nothing(wire: Wire) -> None:
    rpc = wire.call(monitor_s=4)
    for _ in range(3):
        wire.bus.heartbeat(rpc)
    call = wire.memory(ended=False).call(rpc.unique_id)
    assert (call.heartbeats, call.replies, call.outcome) == (3, 0, Outcome.PENDING)


def test_a_message_that_no_queue_took_is_unroutable(wire: Wire) -> None:
    rpc = wire.call(taken=False, routed=False)
    assert wire.memory().call(rpc.unique_id).flags & Flag.UNROUTABLE


def test_a_second_publish_is_told_from_a_second_delivery(wire: Wire) -> None:
    again, twice = wire.call(), wire.call()
    wire.bus.publish(again, connection=wire.client.sends[0])
    wire.bus.publish(again, connection=wire.client.sends[1])
    wire.bus.deliver(twice, wire.other, redelivered=True)
    memory = wire.memory()
    assert Flag(memory.call(again.unique_id).flags) == Flag.REPUBLISHED
    assert Flag(memory.call(twice.unique_id).flags) == Flag.REDELIVERED


def test_a_publish_that_was_tried_again_after_its_answer_waits_for_no_other(wire: Wire) -> None:
    rpc = wire.call()
    wire.bus.reply(rpc)
    wire.tick(10)
    wire.tick()
    wire.bus.publish(rpc)
    wire.tick(120)
    memory = wire.memory(batch_events=1)
    parts = [call for call in memory.calls() if call.unique_id == rpc.unique_id]
    assert [call.outcome for call in parts] == [Outcome.OK, Outcome.OK]
    assert sum(call.publishes for call in parts) == 2
    assert memory.operation(wire.rid).status is Status.DONE


def test_what_comes_after_a_call_was_closed_is_another_part_of_it(wire: Wire) -> None:
    rpc = wire.call()
    inner = wire.bus.reply(rpc, delivered=False)
    wire.tick(10)
    wire.tick()
    wire.bus.reply_delivered(rpc, inner)
    memory = wire.memory(batch_events=1)
    parts = [call for call in memory.calls() if call.unique_id == rpc.unique_id]
    assert [call.copies for call in parts] == [1, 1]
    assert {call.operation_id for call in parts} == {memory.operation(wire.rid).id}
    assert not any(call.flags for call in parts)


def test_each_delivery_of_a_fanout_is_kept_with_who_got_it_also_over_a_restart_and_no_more_of_them_than_fit() -> None:
    wire = Wire()
    many = [wire.bus.service("agent", "work", f"host-{n}") for n in range(70)]
    rpc = wire.bus.fanout(wire.client, many, "work", "refresh", request_id=wire.rid)
    events = [wire.bus.topology(), *wire.bus.events]
    for memory in (record(events), _resumed(events[:5], [events[0], *events[5:]])):
        call = memory.call(rpc.unique_id)
        got = [(call.delivered_ns, call.to_process), *((copy.at_ns, copy.process) for copy in call.more_copies)]
        at = [one.at_ns for one in events if getattr(one, "routing_key", "").startswith("deliver.")]
        assert [at_ns for at_ns, _ in got] == at[:65]
        assert [memory.processes[number].host for _, number in got] == [f"host-{n}" for n in range(65)]
        assert call.copies == 70


def _resumed(before: list[Any], after: list[Any]) -> Memory:
    """A recorder that was killed between two events, and another one."""
    memory = record(before, ended=False)
    return record(after, into=memory)


def test_a_fanout_counts_every_copy(wire: Wire) -> None:
    rpc = wire.bus.fanout(wire.client, [wire.worker, wire.other], "work", "refresh", request_id=wire.rid)
    call = wire.memory().call(rpc.unique_id)
    assert (call.kind, call.publishes, call.copies, call.routed) == (MessageKind.FANOUT, 1, 2, 2)


def test_a_cast_that_nobody_takes_stays_open_for_ten_minutes(wire: Wire) -> None:
    wire.call()
    rpc = wire.bus.cast(wire.client, wire.worker, "do", {}, request_id=wire.rid, taken=False)
    wire.tick(590)
    assert not wire.memory().call(rpc.unique_id).closed
    wire.tick(11)
    wire.tick()
    assert wire.memory(batch_events=1).call(rpc.unique_id).closed


def test_a_tap_that_sees_no_deliveries_does_not_wait_for_them(wire: Wire) -> None:
    rpc = wire.bus.cast(wire.client, wire.worker, "do", {}, request_id=wire.rid)
    memory = record([one for one in wire.bus.events if one.routing_key.startswith("publish")])
    assert memory.call(rpc.unique_id).closed


def test_the_brokers_own_time_is_taken_where_there_is_one(wire: Wire) -> None:
    rpc = wire.call()
    first = wire.bus.events[0]
    stamp = first.at_ns // 1_000_000 - 5
    headers = {**first.headers, "properties": {"headers": {"timestamp_in_ms": stamp}, "expiration": "60000"}}
    wire.bus.events[0] = replace(first, headers=headers)
    call = wire.memory().call(rpc.unique_id)
    assert (call.clock, call.published_ns) == (Clock.BROKER, stamp * 1_000_000)


def test_a_reply_is_left_open_for_who_goes_on_with_the_recording(wire: Wire) -> None:
    first = wire.call()
    wire.bus.reply(first)
    rpc = wire.call()
    inner = wire.bus.reply(rpc, delivered=False)
    memory, here = wire.memory(), len(wire.bus.events)
    wire.bus.reply_delivered(rpc, inner)
    record(wire.bus.events[here:], into=memory)
    assert memory.call(rpc.unique_id).copies == 2
    assert not memory.parts("")


def test_who_sent_and_who_works_is_kept_over_a_restart(wire: Wire) -> None:
    rpc = wire.call()
    memory, here = wire.memory(), len(wire.bus.events)
    before = memory.call(rpc.unique_id)
    wire.bus.reply(rpc)
    record(wire.bus.events[here:], into=memory)
    after = memory.call(rpc.unique_id)
    assert after.outcome is Outcome.OK
    assert (after.from_process, after.to_process) == (before.from_process, before.to_process)
    assert before.from_process
    assert before.to_process


def test_what_a_handler_does_after_a_restart_still_has_its_parent(wire: Wire) -> None:
    rpc = wire.call()
    memory, here = wire.memory(), len(wire.bus.events)
    child = wire.bus.call(wire.worker, wire.other, "inner", {}, request_id=wire.rid)
    record([wire.bus.topology(), *wire.bus.events[here:]], into=memory)
    call = memory.call(child.unique_id)
    assert (call.parent_unique_id, call.parent_source) == (rpc.unique_id, ParentSource.INFERRED)


def test_an_adopted_reply_is_taken_back_from_those_of_nobody(wire: Wire) -> None:
    rpc = wire.call()
    wire.bus.reply(rpc)
    publish, deliver, *replies = wire.bus.events
    memory = record([*replies, publish, deliver], batch_events=1)
    assert memory.call(rpc.unique_id).outcome is Outcome.OK
    assert memory.operation("").by_request.messages == 0
    assert memory.operation("").by_cause.messages == 0
    assert memory.operation(wire.rid).by_request.replies == 1


def test_a_reply_waits_for_its_request_longer_than_a_call_lingers(wire: Wire) -> None:
    rpc = wire.call()
    wire.bus.reply(rpc)
    request, here = wire.bus.events[:2], len(wire.bus.events)
    wire.tick(30)
    wire.tick()
    memory = record([*wire.bus.events[2:here], *wire.bus.events[here:], *request], batch_events=1)
    assert memory.call(rpc.unique_id).outcome is Outcome.OK
    assert memory.operation(wire.rid).by_request.replies == 1


def test_a_call_is_looked_at_when_it_was_put_last() -> None:
    call, plan = CallState(1, MessageKind.REQUEST, "u", "m"), agenda.Agenda()
    plan.put(call, 10)
    plan.put(call, 20)
    plan.put_earlier(call, 30)
    assert plan.take(19) is None
    assert plan.take(20) is call
    assert plan.take(1 << 62) is None


def test_what_was_counted_for_one_cause_moves_when_another_is_found() -> None:
    call, ledger = CallState(1, MessageKind.REQUEST, "u", "m"), Ledger()
    mine, cause = OperationState(2, "mine"), OperationState(3, "cause")
    call.operation = call.cause = mine
    call.publishes, call.copies, call.request_bytes = 1, 1, 100
    ledger.count(call)
    call.cause, call.replies, call.reply_bytes = cause, 1, 7
    ledger.count(call)
    assert mine.by_cause.record() == Tally()
    assert cause.by_cause.record() == mine.by_request.record() == Tally(calls=1, replies=1, copies=1, bytes=107)
    assert set(ledger.take_operations()) == {mine, cause}


# ------------------------------------------------------------------ bounds

SMALL = Limits(
    linger_ns=SECOND // 100, undelivered_ns=SECOND, late_ns=SECOND, unanswered_ns=SECOND,
    open_calls=200, recent_calls=100, operations=50,
)  # fmt: skip


def hostile(number: int, bus: Bus, client: Service, worker: Service) -> None:
    """One of many messages, with nothing in common with those before: names, processes, ids."""
    rid, method = bus.request_id(), f"method_{number}"
    conductor = {
        "args": [bus.uuid(), f"compute_{method}"],
        "objname": "InstanceActionEvent",
        "objmethod": "event_start",
    }
    if number % 5 == 0:
        bus.reply(bus.call(client, worker, method, {}, request_id=rid))
    elif number % 5 == 1:
        bus.call(client, worker, method, {}, request_id=rid, timeout_ms=None)
    elif number % 5 == 2:
        bus.cast(client, worker, method, {}, request_id="", server="h", topic="compute")
    elif number % 5 == 3:
        bus.call(client, worker, "object_class_action_versions", conductor, request_id="")
    else:
        rpc = bus.call(client, worker, method, {}, request_id=rid)
        bus.events[-2:] = []
        bus.heartbeat(rpc)


def messages_of(bus: Bus) -> list[Message]:
    decoder = Decoder(load_rules())
    found = [decoder.decode(one) for one in bus.events]
    bus.events.clear()
    return [one for one in found if isinstance(one, Message)]


def sizes(thing: object, name: str = "") -> dict[str, int]:
    """Length of every container that an object holds, its parts and theirs too."""
    found: dict[str, int] = {}
    names = getattr(thing, "__slots__", None) or vars(thing)
    for key in names:
        value = getattr(thing, key)
        if isinstance(value, (dict, list, set, deque)):
            found[f"{name}{key}"] = len(value)
        elif key in ("_identity", "_parents", "_habits", "_agenda", "_ledger"):
            found |= sizes(value, f"{name}{key}.")
    return found


def test_memory_is_bounded_whatever_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = 500
    for module, constant in (
        (identity, "MAX_CONNECTIONS"),
        (parents, "MAX_KEYS"),
        (hands, "MAX_HABITS"),
        (operations, "MAX_EVENTS"),
        (operations, "MAX_WAITED"),
        (agenda, "SPARE"),
    ):
        monkeypatch.setattr(module, constant, bound)
    correlator = Correlator(load_rules(), 1, limits=SMALL)
    bus = Bus(step_ns=1000)
    worker = bus.service("worker", "work", "w1")
    fed, closed = 0, 0
    for number in range(45_000):
        if number % 3 == 0:
            client = bus.service("client")
            bus.services.clear()
        hostile(number, bus, client, worker)
        if number % 500 == 499:
            if number % 5000 == 4999:
                correlator.learn(bus.topology([client, worker]))
            for message in messages_of(bus):
                correlator.feed(message)
                fed += 1
            closed += len(correlator.flush().closed)
            held = sizes(correlator)
            assert {name: size for name, size in held.items() if size > 2 * bound} == {}
            for one in correlator._operations.values():
                assert max(sizes(one).values()) <= 2 * bound
            for process in correlator._identity._by_connection.values():
                assert max(sizes(process).values()) <= 2 * bound
    assert fed > 70_000
    assert correlator.evicted > 1000
    assert closed + len(correlator._calls) > 44_000, "evicted calls are stored too"


def test_an_evicted_call_is_marked_counted_and_stored(wire: Wire) -> None:
    first = wire.call()
    for _ in range(30):
        wire.call()
    memory = wire.memory(limits=replace(SMALL, open_calls=10, unanswered_ns=SECOND), batch_events=1)
    call = memory.call(first.unique_id)
    assert (call.closed, call.outcome) == (True, Outcome.UNANSWERED)
    assert call.flags & Flag.EVICTED
    assert memory.counters.evicted == 21
    assert sum(one.by_request.calls for one in memory.parts(wire.rid)) == 31


def test_an_operation_that_lost_what_it_waited_for_is_not_called_done(wire: Wire) -> None:
    wire.call()
    answered = wire.call()
    wire.bus.reply(answered)
    stuck = wire.bus.request_id()
    for _ in range(30):
        wire.bus.call(wire.client, wire.worker, "do", {}, request_id=stuck)
    memory = wire.memory(limits=replace(SMALL, open_calls=10), batch_events=1)
    assert memory.operation(wire.rid).status is Status.UNKNOWN


def test_an_operation_that_was_forgotten_goes_on_as_another_part(wire: Wire) -> None:
    first = wire.call()
    wire.bus.reply(first)
    for _ in range(60):
        wire.tick()
    second = wire.call()
    wire.bus.reply(second)
    memory = wire.memory(limits=SMALL, batch_events=1)
    assert [one.by_request.calls for one in memory.parts(wire.rid)] == [1, 1]


def test_a_count_by_hand_sees_what_a_body_says() -> None:
    bus = Bus()
    rpc = bus.call(bus.service("client"), bus.service("worker", "work", "w1"), "do", request_id="req-1")
    assert json.loads(json.loads(bus.events[0].body)["oslo.message"])["_unique_id"] == rpc.unique_id
    assert isinstance(bus.events[0], Observation)
    assert by_hand(bus.events)["req-1"].calls == 1
