"""Calls and operations over a change of what the tap sees: what may have passed unseen is unknown."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from rpcscope.model import Flag, LiveSighting, Outcome, Status, TapPhase
from rpcscope.pipeline import Recorder
from rpcscope.query.operations import Operations
from rpcscope.rules import load_rules
from rpcscope.store import OperationFilter, open_store
from tests.support.bus import Bus, Rpc
from tests.support.memory import Given, Memory
from tests.support.nova import Nova
from tests.support.phases import seen_in


@dataclass
class Play:
    """What happens on a bus, as a tap sees it that changes its mode."""

    bus: Bus = field(default_factory=Bus)
    mode: str = "control"
    memory: Memory = field(default_factory=Memory)

    def __post_init__(self) -> None:
        self.nova = Nova(self.bus)
        self.api = self.bus.service("gunicorn")
        self.clerk = self.bus.service("nova-conductor", "conductor")
        self.request_id = self.bus.request_id()
        self._taken = 0
        self.start()

    def start(self) -> None:
        """A recorder begins, with what the last one stored."""
        resume = self.memory.resume()
        resume = replace(resume, recording=replace(resume.recording, tap_mode=self.mode))
        self.recorder = Recorder(self.memory, resume, load_rules(), clock=lambda: self.bus.now_ns)

    def see(self, mode: str = "") -> None:
        """Store what happened; then change to another mode."""
        events, self._taken = self.bus.events[self._taken :], len(self.bus.events)
        seen: list[LiveSighting] = [*seen_in(self.mode, events)]
        if mode:
            self.mode = mode
            seen.append(TapPhase(at_ns=self.bus.now_ns, mode=mode))
        self.recorder.run(Given(seen))

    def ask(self, answer: bool = True) -> Rpc:
        asked = self.bus.call(self.api, self.clerk, "ping", request_id=self.request_id, timeout_ms=1000)
        if answer:
            self.bus.reply(asked)
        return asked

    def pass_time(self, seconds: float) -> None:
        self.bus.wait(seconds)
        self.bus.cast(self.clerk, self.clerk, "later", request_id=self.bus.request_id())

    @property
    def status(self) -> Status:
        return self.memory.operation(self.request_id).status

    def outcome(self, call: Rpc) -> Outcome:
        return self.memory.call(call.unique_id).outcome


@pytest.fixture
def play() -> Play:
    return Play()


@pytest.mark.parametrize("mode", ["bindings", "off"])
def test_a_call_that_was_open_when_the_tap_looked_away_never_times_out(play: Play, mode: str) -> None:
    asked = play.ask(answer=False)
    play.see(mode)
    assert play.outcome(asked) is Outcome.NONE
    play.pass_time(3600)
    play.see("control")
    play.pass_time(3600)
    play.see()
    assert play.outcome(asked) is Outcome.NONE
    assert (play.status, play.memory.operation(play.request_id).owed_call) == (Status.UNKNOWN, 0)


def test_a_call_that_was_late_before_the_tap_looked_away_stays_so(play: Play) -> None:
    asked = play.ask(answer=False)
    play.bus.wait(2)
    play.see("off")
    assert play.outcome(asked) is Outcome.TIMED_OUT


@pytest.mark.parametrize("mode", ["publish", "full"])
def test_a_change_that_hides_no_reply_leaves_a_call_pending(play: Play, mode: str) -> None:
    asked = play.ask(answer=False)
    play.see(mode)
    assert play.outcome(asked) is Outcome.PENDING
    play.bus.reply(asked)
    play.see()
    play.pass_time(5)
    play.see()
    assert play.outcome(asked) is Outcome.OK


def test_an_operation_that_lost_sight_of_a_reply_is_not_done_for_want_of_others(play: Play) -> None:
    play.ask()
    play.ask(answer=False)
    play.see("bindings")
    assert play.status is Status.UNKNOWN


def test_an_end_that_is_seen_is_an_end_although_a_reply_was_not(play: Play) -> None:
    server = play.bus.uuid()
    play.nova.schedule(play.request_id, [server])
    play.ask(answer=False)
    play.see("bindings")
    play.nova.select(play.request_id, [server])
    play.nova.build(play.request_id, server, "compute-1")
    play.nova.spawn(play.request_id, server, "compute-1")
    play.see()
    operation = play.memory.operation(play.request_id)
    assert (operation.status, operation.kind, operation.error) == (Status.DONE, "create", "")


def test_an_operation_that_went_on_in_the_dark_is_unknown_and_owed_by_nobody(play: Play) -> None:
    play.nova.schedule(play.request_id, [play.bus.uuid()])
    play.see()
    assert play.status is Status.RUNNING
    play.see("off")
    assert (play.status, play.memory.operation(play.request_id).owed_call) == (Status.UNKNOWN, 0)


def test_what_was_over_before_the_dark_stays_over(play: Play) -> None:
    play.nova.boot(play.request_id, [play.bus.uuid()])
    play.see("off")
    assert play.status is Status.DONE


def test_what_went_on_in_the_dark_is_still_unknown_after_a_restart(play: Play) -> None:
    play.nova.schedule(play.request_id, [play.bus.uuid()])
    play.see("off")
    assert {Flag(call.flags) & Flag.UNSEEN for call in play.memory.open.values()} == {Flag.UNSEEN}
    play.mode = "control"
    play.start()
    play.pass_time(3600)
    play.see()
    assert {one.status for one in play.memory.parts(play.request_id)} == {Status.UNKNOWN}


def test_who_took_a_request_is_unknown_where_deliveries_were_not_seen(tmp_path: Path) -> None:
    play = Play(mode="publish")
    with open_store(str(tmp_path / "store.sqlite"), create=True) as store:
        writer = store.writer()
        resume = writer.start(
            source="firehose", scope="a", digest="", label="a", tap_mode="control", conditions="", started_ns=1
        )
        recorder = Recorder(writer, resume, load_rules(), clock=lambda: play.bus.now_ns)
        phases = [TapPhase(at_ns=play.bus.now_ns - 2 + n, mode=mode) for n, mode in enumerate(("control", "publish"))]
        play.ask(answer=False)
        recorder.run(Given([*phases, *seen_in("publish", play.bus.events)]))
        wanted = OperationFilter(request_id=play.request_id)
        (view,) = Operations(store.reader()).find(wanted)
        assert view.owed is not None
        assert view.owed.taker_unseen
        assert (view.as_dict()["copies"], view.as_dict()["replies"]) == (None, 0)
