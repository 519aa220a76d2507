"""From a source to a store: what is counted, in which order things are durable, what is tried again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rpcscope.errors import StoreError
from rpcscope.model import Batch, Counters, Gap, GapCause, Observation, Sighting
from rpcscope.pipeline import LONGEST_PAUSE_S, Recorder
from rpcscope.rules import load_rules
from tests.support.bus import Bus
from tests.support.memory import Given, Memory, record
from tests.support.wire import seen


class Busy(StoreError):
    """What a store says that is locked or lost its connection."""

    transient = True


class Failing(Memory):
    """A store that refuses some writes, and notes each that it was asked for."""

    def __init__(self, *errors: StoreError) -> None:
        super().__init__()
        self.errors = list(errors)
        self.asked: list[Batch] = []

    def write(self, batch: Batch) -> None:
        self.asked.append(batch)
        if self.errors:
            raise self.errors.pop(0)
        super().write(batch)


@pytest.fixture
def bus() -> Bus:
    return Bus()


def talk(bus: Bus, calls: int = 5) -> list[Observation]:
    """Some calls with their replies: four events each."""
    client, worker = bus.service("a"), bus.service("b", "work", "w1")
    for _ in range(calls):
        bus.reply(bus.call(client, worker, "do", {}, request_id=bus.request_id()))
    return bus.events


def marker(number: int) -> Observation:
    return Observation(
        at_ns=1, exchange="", routing_key="rpcscope.tap.x", headers={"rpcscope-marker": number, "sent-ns": 1},
        body=b"", size=0,
    )  # fmt: skip


# ------------------------------------------------------------------ counting


def test_everything_that_came_is_counted_once(bus: Bus) -> None:
    events = talk(bus)
    junk = [seen(b"no JSON"), seen(b"{}"), replace(events[0], routing_key="neither.x")]
    repeats = [replace(one, redelivered=True) for one in events[:4]]
    given: list[Sighting] = [bus.topology(), *events, marker(1), *junk, *repeats, marker(2)]
    memory = Memory()
    recorder = Recorder(memory, memory.resume(), load_rules())
    recorder.run(Given(given), batch_events=3)
    counters = recorder.end(rejected=2)
    assert counters == memory.counters
    assert counters == Counters(
        seen=31, decoded=24, rejected=5, duplicates=4, markers=2, messages=10, copies=10, evicted=0
    )
    assert counters.seen == counters.decoded + counters.rejected + counters.markers
    assert counters.decoded == counters.duplicates + counters.messages + counters.copies


def test_progress_tells_the_totals_after_each_commit(bus: Bus) -> None:
    told: list[Counters] = []
    memory = Memory()
    Recorder(memory, memory.resume(), load_rules()).run(Given(talk(bus)), batch_events=8, progress=told.append)
    assert [one.seen for one in told] == [8, 16, 20]
    assert told == [batch.counters for batch in memory.batches]


def test_totals_go_on_over_runs_of_one_recording(bus: Bus) -> None:
    events = talk(bus)
    memory = record(events[:10], ended=False)
    record(events, into=memory, again=True)
    assert memory.counters == Counters(seen=20, decoded=20, messages=10, copies=10)


def test_a_gap_is_stored_with_its_batch(bus: Bus) -> None:
    gap = Gap(from_ns=1, to_ns=2, cause=GapCause.DROPPED, estimate=7)
    memory = record([*talk(bus), gap])
    assert [one for batch in memory.batches for one in batch.gaps] == [gap]


def test_a_snapshot_alone_is_stored(bus: Bus) -> None:
    bus.service("a")
    memory = record([bus.topology()])
    assert [one.program for one in memory.processes.values() if one.program] == ["a"]
    assert memory.counters.seen == 0


def test_the_end_is_marked_once_and_last(bus: Bus) -> None:
    memory = record(talk(bus), batch_events=4)
    assert [batch.ended for batch in memory.batches] == [False] * 5 + [True]
    assert memory.batches[-1].last_ns == bus.events[-1].at_ns


def test_an_empty_source_is_a_recording_without_events() -> None:
    memory = record([])
    assert [batch.ended for batch in memory.batches] == [True]
    assert memory.counters == Counters()


# ------------------------------------------------------------------ what is durable when


def test_nothing_is_acknowledged_before_its_write_returned(bus: Bus) -> None:
    source = Given(talk(bus))
    acknowledged: list[int] = []

    class Watching(Memory):
        def write(self, batch: Batch) -> None:
            acknowledged.append(source.acknowledged)
            super().write(batch)

    memory = Watching()
    Recorder(memory, memory.resume(), load_rules()).run(source, batch_events=8)
    assert acknowledged == [0, 8, 16]
    assert source.acknowledged == 20


def test_what_was_refused_is_not_acknowledged(bus: Bus) -> None:
    memory = Failing(StoreError("the disk is full"))
    source = Given(talk(bus))
    recorder = Recorder(memory, memory.resume(), load_rules())
    with pytest.raises(StoreError, match="the disk is full"):
        recorder.run(source)
    assert (source.acknowledged, len(memory.asked), memory.batches) == (0, 1, [])


def test_a_store_that_is_busy_gets_the_same_batch_again(bus: Bus) -> None:
    pauses: list[float] = []
    memory = Failing(Busy("locked"), Busy("locked"), Busy("locked"))
    source = Given(talk(bus))
    Recorder(memory, memory.resume(), load_rules(), pause=pauses.append).run(source)
    assert pauses == [0.1, 0.2, 0.4]
    assert all(batch is memory.asked[0] for batch in memory.asked)
    assert (len(memory.asked), len(memory.batches), source.acknowledged) == (4, 1, 20)


def test_a_store_that_is_busy_for_long_is_asked_every_ten_seconds(bus: Bus) -> None:
    pauses: list[float] = []
    memory = Failing(*[Busy("locked")] * 12)
    Recorder(memory, memory.resume(), load_rules(), pause=pauses.append).run(Given(talk(bus)))
    assert pauses[-3:] == [LONGEST_PAUSE_S] * 3
    assert pauses == sorted(pauses)


def test_waiting_for_a_store_is_said_without_any_content(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    memory = Failing(Busy("the database is locked"))
    Recorder(memory, memory.resume(), load_rules(), pause=lambda _: None).run(Given(talk(bus)))
    assert "the database is locked; trying again in 0.1 s" in caplog.text
    assert "PS7q" not in caplog.text


def test_an_import_that_was_interrupted_goes_on_where_it_was(bus: Bus) -> None:
    events = talk(bus, 10)
    memory = Failing()
    memory.errors = []
    record(events[:17], into=memory, batch_events=8, ended=False)
    assert memory.position == 17
    record(events, into=memory, again=True)
    whole = record(events)
    assert memory.position == 40
    assert memory.counters == whole.counters
    assert len(memory.calls()) == len(whole.calls()) == 10


def test_numbers_that_were_given_are_not_given_again(bus: Bus) -> None:
    events = talk(bus, 10)
    memory = record(events[:17], ended=False)
    before = {*memory.closed, *memory.open, *memory.operations, *memory.processes}
    mine = len(memory.operations)
    record(events, into=memory, again=True)
    assert len(memory.operations) == 10 > mine
    assert len({*memory.closed, *memory.open, *memory.operations, *memory.processes}) > len(before)
    assert {number >> 40 for number in memory.closed} == {1}


def test_no_secret_of_a_body_reaches_the_store(bus: Bus) -> None:
    client, worker = bus.service("a"), bus.service("b", "work", "w1")
    rpc = bus.call(client, worker, "do", {"password": "PS7q", "PS7q": 1}, request_id="PS7q", traceparent="PS7q")
    bus.reply(rpc, failure="Boom")
    memory = record([bus.topology(), *bus.events])
    assert memory.batches
    assert "PS7q" not in repr(memory.batches)
