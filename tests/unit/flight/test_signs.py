"""What a recorder stores is looked at: what is not as usual is a reason, what is usual is none."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from rpcscope.flight import Limits, Signs
from rpcscope.model import Batch, FamilySample, LiveSighting, QueuePoll, QueueSample, QueueSamples, TapPhase
from rpcscope.pipeline import Recorder
from rpcscope.rules import load_rules
from tests.support.bus import Bus, Service
from tests.support.memory import Given, Memory

SECOND = 1_000_000_000
EXPECTED = {"objname": "InstanceGroup", "objmethod": "get_by_instance_uuid"}


@dataclass
class Watch:
    """A recorder on a bus, and what is found in what it stores."""

    limits: Limits = field(default_factory=Limits)
    bus: Bus = field(default_factory=Bus)

    def __post_init__(self) -> None:
        self.signs, self.memory = Signs(self.limits), Memory()
        resume = self.memory.resume()
        resume = replace(resume, recording=replace(resume.recording, tap_mode="publish"))
        self.recorder = Recorder(self, resume, load_rules(), clock=lambda: self.bus.now_ns)
        self.api = self.bus.service("gunicorn")
        self.clerk = self.bus.service("nova-conductor", "conductor", "controller")
        self._taken = 0

    def write(self, batch: Batch) -> None:
        self.memory.write(batch)
        self.signs.take(batch, self.bus.now_ns)

    def look(self, *more: LiveSighting) -> list[str]:
        """What is said once all that happened is stored."""
        events, self._taken = self.bus.events[self._taken :], len(self.bus.events)
        self.recorder.run(Given([*events, *more]))
        return [reason.text for reason in self.signs.reasons(self.bus.now_ns)]

    def ask(self, count: int, *, answer: str | None = "", to: Service | None = None, taken: bool = False) -> None:
        """Calls; `answer` is the failure that their replies carry, None for no reply."""
        for _ in range(count):
            asked = self.bus.call(
                self.api, to or self.clerk, "ping", request_id=self.bus.request_id(), taken=taken, timeout_ms=60_000
            )
            if answer is not None:
                self.bus.reply(asked, failure=answer, delivered=False)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_a_quiet_cloud_gives_no_reason(watch: Watch) -> None:
    watch.ask(500)
    assert watch.look() == []
    watch.bus.wait(3600)
    assert watch.look() == []


def test_an_operation_that_does_not_move_is_named_with_what_it_waits_for(watch: Watch) -> None:
    request_id = watch.bus.request_id()
    watch.bus.cast(watch.clerk, None, "stop_instance", topic="compute", server="c1", request_id=request_id)
    watch.bus.wait(119)
    assert watch.look() == []
    watch.bus.wait(1)
    assert watch.look() == [f"stop {request_id} waits for stop_instance on c1 since 120 s"]


def test_an_operation_that_ends_is_stuck_no_longer(watch: Watch) -> None:
    asked = watch.bus.call(watch.api, watch.clerk, "ping", request_id=watch.bus.request_id(), timeout_ms=None)
    watch.bus.wait(200)
    assert len(watch.look()) == 1
    watch.bus.reply(asked)
    assert watch.look() == []


def test_what_became_unknown_while_the_tap_was_off_is_no_reason(watch: Watch) -> None:
    watch.ask(200, answer=None)
    assert watch.look() == ["200 calls to conductor are not answered"]
    assert watch.look(TapPhase(at_ns=watch.bus.now_ns, mode="off", why="ceiling: test")) == []
    watch.bus.wait(3600)
    assert watch.look() == []


def test_calls_that_one_process_owes_are_counted_where_deliveries_are_seen(watch: Watch) -> None:
    watch.look(TapPhase(at_ns=watch.bus.now_ns, mode="control"), watch.bus.topology())
    watch.ask(99, answer=None, taken=True)
    assert watch.look() == []
    watch.ask(1, answer=None, taken=True)
    assert watch.look() == [f"nova-conductor:{watch.clerk.pid} on controller owes 100 calls"]


def test_a_share_of_failures_is_told_and_expected_failures_are_none(watch: Watch) -> None:
    watch.ask(80)
    watch.ask(20, answer="RuntimeError")
    for _ in range(50):
        request_id = watch.bus.request_id()
        method = "object_class_action_versions"
        asked = watch.bus.call(watch.api, watch.clerk, method, EXPECTED, request_id=request_id)
        watch.bus.reply(asked, failure="InstanceGroupNotFound", delivered=False)
    watch.bus.wait(5)
    assert watch.look() == []
    watch.ask(20, answer="RuntimeError")
    watch.bus.wait(5)
    assert watch.look() == ["40 of 170 calls of the last minute failed"]
    watch.bus.wait(61)
    assert watch.look() == []


def test_few_calls_tell_no_share(watch: Watch) -> None:
    watch.ask(19, answer="RuntimeError")
    watch.bus.wait(5)
    assert watch.look() == []


def test_a_caller_whose_time_is_over_counts_once_and_at_once(watch: Watch) -> None:
    watch.ask(30, answer=None)
    watch.look()
    watch.bus.wait(61)
    watch.ask(30)
    watch.bus.wait(3)
    assert watch.look() == ["30 of 60 calls of the last minute timed out"]
    watch.bus.wait(700)  # they are given up and closed
    watch.ask(30)
    watch.bus.wait(3)
    assert watch.look() == []


def depth(watch: Watch, **ready: int) -> QueueSamples:
    now = watch.bus.now_ns
    poll = QueuePoll(
        at_ns=now, vhost="/", source="management", queues=len(ready), took_ns=1, own_cpu_ns=1, interval_ns=1,
        complete=True,
    )  # fmt: skip
    return QueueSamples(
        poll=poll, samples=tuple(QueueSample(at_ns=now, vhost="/", queue=q, ready=n) for q, n in ready.items())
    )


def test_a_queue_that_grows_beyond_the_limit_is_named_until_it_is_below(watch: Watch) -> None:
    assert watch.look(depth(watch, conductor=3)) == []
    assert watch.look(depth(watch, conductor=1000)) == ["1,000 messages wait in queue conductor"]
    assert watch.look(depth(watch, conductor=999)) == []


def test_a_queue_that_was_deep_before_is_no_news(watch: Watch) -> None:
    assert watch.look(depth(watch, notifications=1_000_000)) == []
    assert watch.look(depth(watch, notifications=1_000_001)) == []


def test_many_shallow_queues_of_one_family_add_up() -> None:
    watch = Watch()
    for ready in (0, 400):
        queues = {f"reply_{number:032x}": ready for number in range(3)}
        found = watch.look(depth(watch, **queues))
    assert found == ["1,200 messages wait in queues reply_*"]


def test_what_is_switched_off_is_not_looked_at() -> None:
    none = Limits(stuck_ns=None, depth=None, in_flight=None, error_share=None, timeout_share=None)
    watch = Watch(none)
    watch.look(depth(watch, conductor=0))
    watch.ask(200, answer="RuntimeError")
    watch.ask(200, answer=None)
    watch.bus.wait(300)
    assert watch.look(depth(watch, conductor=5000)) == []


def test_a_family_that_vanishes_is_no_depth(watch: Watch) -> None:
    watch.look(depth(watch, conductor=0))
    watch.look(depth(watch, conductor=2000))
    assert watch.look(depth(watch)) == []


def test_a_family_of_one_queue_is_told_once(watch: Watch) -> None:
    sample = FamilySample(at_ns=1, vhost="/", family="conductor", queues=1, consumerless=0, ready=5)
    watch.signs.take(Batch(recording_id=1, family_samples=(sample,)), 1)
    watch.signs.take(Batch(recording_id=1, family_samples=(replace(sample, ready=5000),)), 2)
    assert watch.signs.reasons(2) == []
