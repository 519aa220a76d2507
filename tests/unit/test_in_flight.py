"""Work in flight over time: what each process has in hand and what nobody took yet, second by second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

import pytest

from rpcscope.in_hand import REPEAT_NS
from rpcscope.model import LiveSighting, TapPhase
from rpcscope.pipeline import Recorder
from rpcscope.rules import load_rules
from tests.support.bus import SECOND, START_NS, Bus, Rpc
from tests.support.memory import Given, Memory

Where = tuple[str, str, str]  # host, queue, method


class Work:
    """A bus with a client and two workers; `seen` is what a live recorder gets of it."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.client = self.bus.service("client")
        self.workers = [self.bus.service("worker", "work", f"w{n}") for n in range(2)]
        self.rid = self.bus.request_id()

    def call(self, worker: int = 0, method: str = "do", *, taken: bool = True, timeout_ms: int | None = 60_000) -> Rpc:
        to = self.workers[worker]
        return self.bus.call(
            self.client, to, method, request_id=self.rid, server=to.host, taken=taken, timeout_ms=timeout_ms
        )

    def tick(self, seconds: float = 1) -> None:
        """Time passes, and something else shows it."""
        self.bus.wait(seconds)
        self.bus.notify(self.workers[0], "tick", self.bus.request_id())

    def recorded(self, *phases: TapPhase, batch_events: int = 2000) -> Memory:
        """What is stored of it; phases begin at their times."""
        seen: list[LiveSighting] = [*self.bus.events, *phases]
        seen.sort(key=lambda one: one.at_ns)  # type: ignore[union-attr]
        memory = Memory()
        recorder = Recorder(memory, memory.resume(), load_rules())
        recorder.run(Given([self.bus.topology(), *seen]), batch_events=batch_events)
        recorder.end()
        return memory


@pytest.fixture
def work() -> Work:
    return Work()


def second(number: int) -> int:
    return START_NS + number * SECOND


def at(memory: Memory, at_ns: int) -> dict[Where, tuple[int, int]]:
    """Count and oldest as of the last samples up to a time."""
    found: dict[Where, tuple[int, int]] = {}
    for batch in memory.batches:
        for one in batch.in_flight:
            if one.at_ns <= at_ns:
                host = memory.process(one.process).host if one.process else ""
                found[host, one.queue, one.method] = (one.count, one.oldest_ns)
    return {where: value for where, value in found.items() if value[0]}


def counts(memory: Memory, at_ns: int) -> dict[Where, int]:
    return {where: count for where, (count, _) in at(memory, at_ns).items()}


def times(memory: Memory) -> list[int]:
    return [one.at_ns for batch in memory.batches for one in batch.in_flight]


def test_requests_are_in_hand_from_their_delivery_to_their_answer(work: Work) -> None:
    first, second_ = work.call(), work.call()
    work.tick()
    work.bus.reply(first)
    work.tick()
    work.bus.reply(second_)
    work.tick()
    memory = work.recorded()
    delivered = [seen.at_ns for seen in work.bus.events if seen.routing_key.startswith("deliver.work")]
    assert at(memory, second(1)) == {("w0", "", "do"): (2, delivered[0])}
    assert at(memory, second(2)) == {("w0", "", "do"): (1, delivered[1])}
    assert at(memory, second(3)) == {}


def test_what_nobody_took_lies_in_its_queue_and_then_is_in_hand(work: Work) -> None:
    rpc = work.call(taken=False)
    work.tick()
    work.bus.deliver(rpc)
    work.tick()
    memory = work.recorded()
    assert at(memory, second(1)) == {("", "work.w0", "do"): (1, rpc.published_ns)}
    assert counts(memory, second(2)) == {("w0", "", "do"): 1}


def test_casts_fanouts_and_what_no_queue_took_are_not_counted(work: Work) -> None:
    work.bus.cast(work.client, work.workers[0], "cast", request_id=work.rid)
    work.bus.fanout(work.client, work.workers, "work", "fan", request_id=work.rid)
    work.bus.call(work.client, work.workers[0], "lost", request_id=work.rid, taken=False, routed=False)
    work.tick()
    assert times(work.recorded()) == []


def test_of_a_queue_whose_deliveries_the_tap_is_not_given_nothing_is_told(work: Work) -> None:
    work.tick()
    answered = work.call(1, taken=False)
    work.bus.reply(answered)
    work.call(1, "hangs", taken=False)
    work.call(0, "lies", taken=False)
    work.tick()
    memory = work.recorded()
    assert counts(memory, second(2)) == {("", "work.w0", "lies"): 1}
    work.call(1, "seen")
    work.tick()
    memory = work.recorded()
    assert counts(memory, second(3)) == {
        ("", "work.w0", "lies"): 1,
        ("", "work.w1", "hangs"): 1,
        ("w1", "", "seen"): 1,
    }


def test_a_request_leaves_in_the_second_after_its_callers_time_although_nothing_is_heard(work: Work) -> None:
    work.call(timeout_ms=5_000)
    work.call(method="longer", timeout_ms=7_500)
    work.tick(100)
    memory = work.recorded()
    assert sorted(set(times(memory))) == [second(1), second(6), second(8)]
    assert counts(memory, second(5)) == {("w0", "", "do"): 1, ("w0", "", "longer"): 1}
    assert counts(memory, second(6)) == {("w0", "", "longer"): 1}
    assert counts(memory, second(8)) == {}


def test_what_does_not_change_is_stored_once_and_again_after_a_while(work: Work) -> None:
    work.call(timeout_ms=None)
    for _ in range(30):
        work.tick()
    assert times(work.recorded()) == [second(1)]
    for _ in range(300):
        work.tick()
    assert times(work.recorded(batch_events=7)) == [second(1), second(1) + REPEAT_NS]


def test_what_a_process_that_is_gone_had_in_hand_is_not_in_flight(work: Work) -> None:
    work.call(0)
    work.call(1)
    work.tick()
    work.tick()
    alive = work.bus.topology([work.client, work.workers[1]], at_ns=second(1) + 500_000_000)
    seen = [*work.bus.events]
    gone = next(index for index, one in enumerate(seen) if one.at_ns > alive.at_ns)
    memory = Memory()
    recorder = Recorder(memory, memory.resume(), load_rules())
    recorder.run(Given([work.bus.topology(), *seen[:gone], alive, *seen[gone:]]))
    assert counts(memory, second(1)) == {("w0", "", "do"): 1, ("w1", "", "do"): 1}
    assert counts(memory, second(2)) == {("w1", "", "do"): 1}


@pytest.mark.parametrize("mode", ["publish", "bindings", "off"])
def test_a_mode_that_sees_no_deliveries_or_no_replies_tells_nothing_and_never_zero(work: Work, mode: str) -> None:
    work.call(timeout_ms=None)
    for _ in range(3):
        work.tick()
    memory = work.recorded(TapPhase(at_ns=second(1) + 500_000_000, mode=mode))
    assert times(memory) == [second(1)]


def test_back_in_a_mode_that_sees_all_what_may_have_been_taken_unseen_is_not_told(work: Work) -> None:
    phases = [
        TapPhase(at_ns=second(1) + 500_000_000, mode="publish"),
        TapPhase(at_ns=second(3) + 500_000_000, mode="control"),
    ]
    kept = work.call(method="kept", timeout_ms=None)
    work.tick()
    work.tick()
    unseen = work.call(method="unseen", taken=False, timeout_ms=None)
    queued = work.call(method="queued", taken=False, timeout_ms=None)
    work.tick()
    work.tick()
    work.bus.deliver(queued)
    work.call(method="new", taken=False)
    work.tick()
    memory = work.recorded(*phases)
    assert [when for when in times(memory) if second(1) < when < second(4)] == []
    assert counts(memory, second(5)) == {
        ("w0", "", "kept"): 1,
        ("w0", "", "queued"): 1,
        ("", "work.w0", "new"): 1,
    }
    assert kept.published_ns < unseen.published_ns


def test_a_recorder_that_is_started_again_goes_on_counting_what_was_in_hand(work: Work) -> None:
    rpc = work.call()
    work.tick()
    cut = len(work.bus.events)
    work.tick()
    work.tick()
    work.bus.reply(rpc)
    work.tick()
    memory = Memory()
    for seen in (work.bus.events[:cut], work.bus.events[cut:]):
        recorder = Recorder(memory, memory.resume(), load_rules())
        recorder.run(Given([work.bus.topology(), *seen]))
    told = {(batch.recording_id, one.at_ns, one.count) for batch in memory.batches for one in batch.in_flight}
    assert told == {(1, second(1), 1), (2, second(3), 1), (2, second(4), 0)}


@dataclass(kw_only=True)
class Told:
    """One request as the test made it."""

    rpc: Rpc
    worker: int
    timeout_ms: int | None
    taken_ns: int = 0
    replied_ns: int = 0

    def where(self, at_ns: int) -> Where | None:
        published = self.rpc.published_ns
        over = self.replied_ns and self.replied_ns < at_ns
        late = self.timeout_ms is not None and published + self.timeout_ms * 1_000_000 < at_ns
        if published >= at_ns or over or late:
            return None
        method = self.rpc.inner["method"]
        taken = self.taken_ns and self.taken_ns < at_ns
        return (f"w{self.worker}", "", method) if taken else ("", f"work.w{self.worker}", method)


def random_work(work: Work, random: Random, steps: int) -> list[Told]:
    told: list[Told] = []
    for _ in range(steps):
        work.bus.wait(random.choice([0, 0, 0.1, 0.4, 3]))
        waiting = [one for one in told if not one.taken_ns]
        at_work = [one for one in told if one.taken_ns and not one.replied_ns]
        what = random.random()
        if what < 0.4:
            worker, timeout = random.randrange(2), random.choice([None, 900, 4_000, 60_000])
            rpc = work.call(worker, random.choice("ab"), taken=False, timeout_ms=timeout)
            told.append(Told(rpc=rpc, worker=worker, timeout_ms=timeout))
        elif what < 0.7 and waiting:
            one = random.choice(waiting)
            one.taken_ns = work.bus.deliver(one.rpc).at_ns
        elif at_work:
            one = random.choice(at_work)
            one.replied_ns = work.bus.now_ns
            work.bus.reply(one.rpc)
        else:
            work.tick(0)
    work.tick()
    return told


def expected(told: Iterable[Told], at_ns: int) -> dict[Where, int]:
    return dict(Counter(where for one in told if (where := one.where(at_ns)) is not None))


@pytest.mark.parametrize("seed", range(8))
def test_every_second_of_random_work_is_told_as_it_was(work: Work, seed: int) -> None:
    random = Random(seed)
    told = random_work(work, random, 300)
    memory = work.recorded(batch_events=random.choice([1, 10, 2000]))
    end = work.bus.events[-1].at_ns
    moments = range(START_NS + SECOND, end, SECOND)
    assert [counts(memory, when) for when in moments] == [expected(told, when) for when in moments]
