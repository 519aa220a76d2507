"""What processes tell of calls, beside what a tap on the bus shows of them and instead of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import pytest

from rpcscope.correlate import Limits
from rpcscope.model import Account, Clock, Inside, MessageKind, Outcome, Side, Sighting, TapPhase, Topology
from rpcscope.modes import INSIDE
from rpcscope.pipeline import Recorder
from rpcscope.rules import load_rules
from tests.support.bus import SECOND, Bus, Rpc, Service
from tests.support.memory import Given, Memory
from tests.support.told import told
from tests.support.wire import CAPTURES, sightings

RULES = load_rules()
MS = 1_000_000
NAMES = ("01_boot_1", "09_live_migrate_no_host", "12_evacuate_6", "16_rpc_timeout_sigstop")


def record(
    seen: Sequence[Sighting], mode: str = "full", *, batch: int = 200, limits: Limits | None = None, ended: bool = True
) -> Memory:
    """One recorder's run whose tap on the bus has a mode; INSIDE: it has none."""
    memory = Memory()
    resume = memory.resume()
    resume = replace(resume, recording=replace(resume.recording, tap_mode=mode))
    recorder = Recorder(memory, resume, RULES, limits=limits)
    recorder.run(Given(seen), batch_events=batch)
    if ended:
        recorder.end()
    return memory


def by_time(seen: Sequence[Sighting]) -> list[Sighting]:
    return sorted(seen, key=lambda one: getattr(one, "at_ns", 0))


def operations(memory: Memory) -> dict[str, Any]:
    """What is known of each operation, but for heartbeats, of which no process tells."""
    found = {}
    for one in memory.operations.values():
        if one.request_id:
            tallies = {**asdict(one.by_request), **{f"cause {k}": v for k, v in asdict(one.by_cause).items()}}
            counts = {word: n for word, n in tallies.items() if "heartbeats" not in word and "bytes" not in word}
            found[one.request_id] = (one.kind, one.status, one.error, one.instances, counts)
    return found


def calls(memory: Memory) -> dict[str, Any]:
    """Outcome, parent and counts of each call."""
    found: dict[str, Any] = {}
    for one in memory.calls():
        counts = (one.publishes, one.replies, one.copies)
        before = found.get(one.unique_id, (one.outcome, "", (0, 0, 0)))
        added = tuple(a + b for a, b in zip(before[2], counts, strict=True))
        found[one.unique_id] = (one.outcome, before[1] or one.parent_unique_id, added)
    return found


def counted(memory: Memory) -> Any:
    """Without parents, which hang on what was read first."""
    outcomes = {name: (outcome, counts) for name, (outcome, _, counts) in calls(memory).items()}
    return outcomes, {name: one[-1]["calls"] for name, one in operations(memory).items()}


def accounts(memory: Memory) -> dict[tuple[int, Side, int, str], Account]:
    """As the store has them at the end."""
    return {(a.call_id, a.side, a.process, a.source): a for batch in memory.batches for a in batch.accounts}


# ------------------------------------------------------------------ one truth


@pytest.fixture(scope="module", params=NAMES)
def bus(request: pytest.FixtureRequest) -> list[Sighting]:
    return sightings(CAPTURES / "nova34" / f"{request.param}.jsonl.zst")


@pytest.fixture(scope="module")
def whole(bus: list[Sighting]) -> Memory:
    """What the bus alone shows."""
    return record(bus)


def test_what_processes_tell_alone_gives_the_operations_that_the_bus_shows(bus: list[Sighting], whole: Memory) -> None:
    alone = record(told(bus), INSIDE)
    assert operations(alone) == operations(whole)
    assert calls(alone) == calls(whole)
    assert (alone.counters.messages, alone.counters.copies) == (whole.counters.messages, whole.counters.copies)
    assert {call.clock for call in alone.calls()} == {Clock.HOST}


@pytest.mark.parametrize("late_s", [0, 1, 20], ids="told {} s later".format)
def test_what_both_tell_is_counted_once(bus: list[Sighting], whole: Memory, late_s: int) -> None:
    both = record(by_time([*bus, *told(bus, late_ns=late_s * SECOND)]))
    assert operations(both) == operations(whole)
    assert calls(both) == calls(whole)
    assert (both.counters.messages, both.counters.copies) == (whole.counters.messages, whole.counters.copies)
    assert {call.clock for call in both.calls()} == {Clock.TAP}


def test_a_tap_that_is_much_later_than_the_processes_counts_nothing_twice(bus: list[Sighting], whole: Memory) -> None:
    first = record([*told(bus), *bus])
    assert counted(first) == counted(whole)
    assert (first.counters.messages, first.counters.copies) == (whole.counters.messages, whole.counters.copies)


@pytest.mark.parametrize("seed", range(3))
def test_order_does_not_matter_to_what_is_counted(bus: list[Sighting], whole: Memory, seed: int) -> None:
    snapshots = [one for one in bus if isinstance(one, Topology)]
    events = [one for one in by_time([*bus, *told(bus)]) if not isinstance(one, Topology)]
    chance = random.Random(seed)
    near = sorted(events, key=lambda one: getattr(one, "at_ns", 0) + chance.randrange(100 * MS))
    both = record([*snapshots, *near], batch=37)
    assert counted(both) == counted(whole)


def test_clocks_that_differ_change_no_operation(bus: list[Sighting], whole: Memory) -> None:
    ahead = {"compute-1": 40 * MS, "compute-2": -35 * MS, "vm": 12 * MS}
    both = record(by_time([*bus, *told(bus, ahead_ns=ahead)]))
    alone = record(told(bus, ahead_ns=ahead), INSIDE)
    assert operations(both) == operations(whole)
    assert calls(both) == calls(whole)
    assert {name: one[-1] for name, one in operations(alone).items()} == {
        name: one[-1] for name, one in operations(whole).items()
    }


# ------------------------------------------------------------------ one call


class Wire:
    """A client and a worker that tell of themselves."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.client = self.bus.service("client")
        self.worker = self.bus.service("worker", "work", "w1")
        self.rid = self.bus.request_id()

    def call(self, **more: Any) -> Rpc:
        rpc = self.bus.call(self.client, self.worker, "do", {}, request_id=self.rid, **more)
        self.bus.reply(rpc)
        return rpc

    def told(self) -> list[Inside]:
        return told([self.bus.topology(), *self.bus.events])

    def tick(self, seconds: float) -> None:
        self.bus.wait(seconds)
        self.bus.notify(self.worker, "tick", self.bus.request_id())


@pytest.fixture
def wire() -> Wire:
    return Wire()


def teller(service: Service, **said: Any) -> Inside:
    words: dict[str, Any] = {"source": "driver", "side": Side.SERVER, "kind": MessageKind.CAST, "at_ns": 0}
    who = {"program": service.program, "pid": service.pid, "host": service.host}
    return Inside(**(words | who | said))


def test_each_side_has_an_account_of_the_call_with_the_times_of_its_host(wire: Wire) -> None:
    rpc = wire.call()
    memory = record([wire.bus.topology(), *wire.bus.events, *wire.told()])
    call = memory.call(rpc.unique_id)
    client, server = accounts(memory).values()
    assert {client.call_id, server.call_id} == {call.id}
    assert (client.side, client.sent_ns, client.taken_ns) == (0, call.published_ns - MS // 20, call.reply_delivered_ns)  # type: ignore[operator]
    assert (server.side, server.received_ns, server.ended_ns) == (1, call.delivered_ns, call.replied_ns)
    assert (client.process, server.process) == (call.from_process, call.to_process)
    assert memory.process(server.process).program == "worker"


def test_what_is_told_after_the_call_was_closed_goes_to_it_and_makes_no_second_part(wire: Wire) -> None:
    rpc = wire.call()
    wire.tick(5)
    wire.tick(5)
    late = [replace(one, at_ns=one.at_ns + 9 * SECOND) for one in wire.told()]
    memory = record(by_time([wire.bus.topology(), *wire.bus.events, *late]), batch=1)
    assert {one.call_id for one in accounts(memory).values()} == {
        memory.call(rpc.unique_id).id,
        *(c.id for c in memory.calls() if c.kind is MessageKind.NOTIFICATION),
    }


def test_a_call_that_no_tap_on_the_bus_sees_is_taken_from_its_processes_after_a_time(wire: Wire) -> None:
    rpc = wire.call()
    only_told = wire.told()
    wire.tick(29)
    wire.tick(0.5)
    ticks = wire.bus.events[-2:]
    assert not [c for c in record([*only_told, *ticks], batch=1, ended=False).calls() if c.unique_id == rpc.unique_id]
    wire.tick(4)
    call = record([*only_told, *ticks, wire.bus.events[-1]], batch=1).call(rpc.unique_id)
    assert (call.clock, call.outcome, call.publishes, call.replies) == (Clock.HOST, Outcome.OK, 1, 1)


def test_a_call_of_which_the_bus_showed_the_reply_alone_keeps_the_clock_of_the_tap(wire: Wire) -> None:
    rpc = wire.call()
    memory = record(by_time([wire.bus.topology(), *wire.bus.events[2:], *wire.told()]))
    (call,) = (one for one in memory.calls() if one.msg_id == rpc.inner["_msg_id"])
    assert (call.clock, call.publishes, call.replies, call.published_ns) == (Clock.TAP, 0, 1, None)
    assert {one.call_id for one in accounts(memory).values()} == {call.id}


def test_a_call_that_only_its_client_tells_of_is_known_with_its_outcome(wire: Wire) -> None:
    rpc = wire.call()
    memory = record([one for one in wire.told() if one.side is Side.CLIENT], INSIDE)
    call = memory.call(rpc.unique_id)
    assert (call.outcome, call.replies, call.delivered_ns) == (Outcome.OK, 1, None)
    assert call.reply_delivered_ns == call.replied_ns == wire.bus.events[-1].at_ns


def test_a_server_that_tells_later_corrects_when_it_replied(wire: Wire) -> None:
    rpc = wire.call()
    client_first = sorted(wire.told(), key=lambda one: one.side)
    call = record(client_first, INSIDE).call(rpc.unique_id)
    assert call.replied_ns == wire.bus.events[2].at_ns
    assert call.to_process


def test_spans_without_ids_join_the_call_whose_message_carries_them(wire: Wire) -> None:
    trace_id, span_id = "a" * 32, "b" * 16
    rpc = wire.call(traceparent=f"00-{trace_id}-{span_id}-01")
    at_ns = wire.bus.now_ns
    sent = teller(wire.client, kind=MessageKind.REQUEST, side=Side.CLIENT, method="do", source="otlp", at_ns=at_ns,
                  span_id=span_id, trace_id=trace_id, sent_ns=at_ns, taken_ns=at_ns + 1)  # fmt: skip
    got = teller(wire.worker, kind=MessageKind.REQUEST, method="do", source="otlp", at_ns=at_ns, trace_id=trace_id,
                 parent_span_id=span_id, span_id="c" * 16, started_ns=at_ns)  # fmt: skip
    memory = record([wire.bus.topology(), *wire.bus.events, sent, got])
    assert {one.call_id for one in accounts(memory).values()} == {memory.call(rpc.unique_id).id}


def test_a_span_that_sent_several_messages_does_not_make_them_one_call(wire: Wire) -> None:
    context = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    first, second = wire.call(**context), wire.call(**context)
    shared = [replace(one, span_id="b" * 16) for one in wire.told() if one.side is Side.CLIENT]
    memory = record([wire.bus.topology(), *wire.bus.events, *shared])
    ids = {memory.call(rpc.unique_id).id for rpc in (first, second)}
    assert {one.call_id for one in accounts(memory).values()} == ids
    assert {call.clock for call in record(shared, INSIDE).calls()} == {Clock.HOST}
    assert len({call.unique_id for call in record(shared, INSIDE).calls()}) == 2


def test_sources_of_one_side_are_kept_apart_and_counted_once(wire: Wire) -> None:
    rpc = wire.call()
    spans = [replace(one, source="otlp") for one in wire.told()]
    memory = record([*wire.told(), *spans], INSIDE)
    assert sorted((one.side, one.source) for one in accounts(memory).values()) == [
        (side, source) for side in Side for source in ("driver", "otlp")
    ]
    assert (memory.call(rpc.unique_id).publishes, memory.call(rpc.unique_id).copies) == (1, 2)


def test_who_tells_of_itself_is_the_process_that_the_bus_shows_at_work(wire: Wire) -> None:
    rpc = wire.call()
    memory = record([*wire.bus.events, *wire.told()])  # no snapshot: connections have no names
    call = memory.call(rpc.unique_id)
    assert memory.process(call.from_process).program == "client"
    assert (memory.process(call.to_process).program, memory.process(call.to_process).host) == ("worker", "w1")


def test_the_name_that_its_queues_give_a_host_goes_before_the_one_that_it_gives_itself(wire: Wire) -> None:
    rpc = wire.call()
    words = [replace(one, host="node-17") for one in wire.told()]
    memory = record([*wire.bus.events, *words, wire.bus.topology()], batch=1)
    call = memory.call(rpc.unique_id)
    assert memory.process(call.to_process).host == "w1"
    assert memory.process(call.from_process).host == "node-17"


def test_a_tap_that_sees_no_deliveries_learns_from_the_worker_who_it_is(wire: Wire) -> None:
    rpc = wire.bus.call(wire.client, wire.worker, "do", {}, request_id=wire.rid, taken=False)
    got = teller(wire.worker, kind=MessageKind.REQUEST, at_ns=wire.bus.now_ns, unique_id=rpc.unique_id, received_ns=1)
    memory = record([wire.bus.topology(), *wire.bus.events, got], "publish", ended=False)
    assert memory.process(memory.call(rpc.unique_id).to_process).program == "worker"


# ------------------------------------------------------------------ casts in hand


def in_hand(memory: Memory, method: str) -> list[int]:
    """How many of a method processes have in hand, as it changes."""
    return [s.count for batch in memory.batches for s in batch.in_flight if s.method == method and s.process]


def test_a_cast_is_in_flight_from_when_its_worker_took_it_until_its_worker_is_done(wire: Wire) -> None:
    cast = wire.bus.cast(wire.client, wire.worker, "work", {}, request_id=wire.rid)
    took = teller(wire.worker, at_ns=wire.bus.now_ns, unique_id=cast.unique_id, received_ns=wire.bus.now_ns)
    wire.tick(30)
    done = replace(took, at_ns=wire.bus.now_ns, ended_ns=wire.bus.now_ns)
    wire.tick(2)
    wire.tick(2)
    events = by_time([*wire.bus.events, took, done])
    memory = record([wire.bus.topology(), *events], batch=1)
    began, over = (s for batch in memory.batches for s in batch.in_flight if s.method == "work" and s.process)
    assert (began.count, over.count) == (1, 0)
    assert over.at_ns - began.at_ns == 30 * SECOND


def test_casts_of_workers_that_do_not_tell_are_not_in_flight(wire: Wire) -> None:
    wire.bus.cast(wire.client, wire.worker, "work", {}, request_id=wire.rid)
    wire.tick(2)
    wire.tick(2)
    assert in_hand(record([wire.bus.topology(), *wire.bus.events], batch=1), "work") == []


def test_a_cast_that_its_worker_does_not_finish_stays_in_hand_while_the_tap_lets_go(wire: Wire) -> None:
    cast = wire.bus.cast(wire.client, wire.worker, "work", {}, request_id=wire.rid)
    took = teller(wire.worker, at_ns=wire.bus.now_ns, unique_id=cast.unique_id, received_ns=wire.bus.now_ns)
    phase = TapPhase(at_ns=wire.bus.now_ns + SECOND, mode="bindings")
    wire.tick(3)
    memory = record(by_time([wire.bus.topology(), *wire.bus.events, took, phase]), batch=1, ended=False)
    assert memory.open[memory.call(cast.unique_id).id].kind is MessageKind.CAST


# ------------------------------------------------------------------ bounds


def test_what_waits_for_the_bus_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire()
    monkeypatch.setattr("rpcscope.correlate.hearing.MAX_WAITING", 10)
    for _ in range(40):
        wire.call()
    memory = record(wire.told(), batch=4, limits=Limits(order_ns=0), ended=False)
    assert len(memory.calls()) >= 29


def test_a_recorder_that_starts_again_counts_nothing_twice(wire: Wire) -> None:
    rpc = wire.bus.call(wire.client, wire.worker, "do", {}, request_id=wire.rid)
    before = wire.told()
    wire.tick(3)
    memory = record(wire.told(), INSIDE, ended=False)
    assert memory.open
    wire.bus.reply(rpc)
    after = [one for one in wire.told() if one not in before]
    whole = [replace(one, sent_ns=1, received_ns=2) for one in after if one.msg_id == rpc.inner["_msg_id"]]
    resume = memory.resume()
    recorder = Recorder(memory, replace(resume, recording=replace(resume.recording, tap_mode=INSIDE)), RULES)
    recorder.run(Given(whole))
    recorder.end()
    call = memory.call(rpc.unique_id)
    assert (call.publishes, call.replies, call.copies, call.outcome) == (1, 1, 2, Outcome.OK)
