"""Threads, patience, who is on the stage."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rpcscope.emulator import fds
from rpcscope.emulator.cast_list import CastList
from rpcscope.emulator.deadlines import Deadlines
from rpcscope.emulator.executor import Executor
from rpcscope.emulator.management import Management
from rpcscope.emulator.owner import Owner
from rpcscope.emulator.score import links
from rpcscope.emulator.tally import Sample, Tally
from rpcscope.errors import BrokerError, UsageError
from rpcscope.fleet.model import Control
from rpcscope.flows.virtual import run_virtual
from rpcscope.templates.model import Step


class Begun:
    """Work that notes when it is begun."""

    def __init__(self, log: list[Begun]) -> None:
        self._log = log

    def start(self) -> None:
        self._log.append(self)


def test_work_beyond_the_threads_waits_in_order() -> None:
    log: list[Begun] = []
    executor, works = Executor(2), [Begun(log) for _ in range(5)]
    for work in works:
        executor.submit(work)
    assert (log, list(executor.inner)) == (works[:2], works[2:])
    executor.release(works[1])
    assert log == works[:3]
    for work in (works[0], works[2], works[3], works[4]):
        executor.release(work)
    executor.submit(extra := Begun(log))
    assert log == [*works, extra]


def test_what_is_dropped_is_neither_begun_nor_released_any_more() -> None:
    log: list[Begun] = []
    executor, works = Executor(1), [Begun(log) for _ in range(3)]
    for work in works:
        executor.submit(work)
    assert executor.drop() == works
    executor.release(works[0])
    assert log == works[:1]


class Caller:
    """Who waits for a reply until its patience ends."""

    def __init__(self, due_s: float) -> None:
        self.is_waiting, self._due_s, self.gave_up_s = True, due_s, -1.0

    def due_s(self) -> float:
        return self._due_s

    def on_timeout(self) -> None:
        self.is_waiting, self.gave_up_s = False, asyncio.get_running_loop().time()


def test_patience_ends_in_time_and_not_for_those_who_were_answered() -> None:
    async def main() -> None:
        deadlines = Deadlines(asyncio.get_running_loop())
        short, long, answered, heard = Caller(1.0), Caller(60.0), Caller(1.0), Caller(7.0)
        for caller, length_s in ((short, 1.0), (long, 60.0), (answered, 1.0), (heard, 3.0)):
            deadlines.watch(caller, length_s)
        answered.is_waiting = False
        await asyncio.sleep(100)
        deadlines.close()
        assert short.gave_up_s == pytest.approx(1.0, abs=0.06)
        assert long.gave_up_s == pytest.approx(60.0, abs=0.06)
        assert heard.gave_up_s == pytest.approx(7.0, abs=0.06)  # its server was heard on the way
        assert answered.gave_up_s == -1.0

    run_virtual(main())


def test_calls_that_were_answered_are_forgotten_behind_one_that_waits_long() -> None:
    async def main() -> None:
        deadlines = Deadlines(asyncio.get_running_loop())
        callers = [Caller(60.0) for _ in range(30_000)]
        for caller in callers:
            deadlines.watch(caller, 60.0)
        for caller in callers[1:]:
            caller.is_waiting = False
        await asyncio.sleep(1)
        assert len(deadlines._queues[60.0]) == 1
        deadlines.close()

    run_virtual(main())


def step(**more: Any) -> Step:
    return Step(method="m", kind="call", topic="conductor", **more)


def test_steps_are_linked_to_what_waits_for_them() -> None:
    steps = [step(), step(), step(after=0), step(after=2), step(after=0)]
    assert links(steps) == ([0, 1], [[2, 4], [], [3], [], []])


def test_a_step_that_repeats_is_begun_by_its_wait_alone() -> None:
    steps = [
        step(),
        step(after=0, repeats_s=5.0, wait="copy"),
        step(after=1, repeats_s=5.0, wait="copy"),
        step(after=0, wait="copy"),
    ]
    assert links(steps) == ([0], [[3], [2], [], []])


def test_no_two_processes_have_one_pid_and_each_host_has_its_address() -> None:
    cast = CastList(Control(api=2, conductor=3, scheduler=1))
    control = list(cast.control_plane())
    computes = [cast.compute(f"compute-{n}") for n in range(3000)]
    again = cast.compute("compute-7")
    parts = [*control, *computes, again]
    assert len({part.program for part in parts}) == len(parts)
    assert [part.program.partition(":")[0] for part in control] == ["gunicorn"] * 2 + ["nova-conductor"] * 3 + [
        "nova-scheduler"
    ]
    assert len({part.source for part in control}) == 1
    assert len({part.source for part in computes}) == 3000
    assert again.source == computes[7].source
    assert all(part.source.startswith("127.") for part in parts)


def test_descriptors_are_counted_by_shape() -> None:
    assert fds.needed(Control(api=1, conductor=1, scheduler=1), 1000) == 5009
    assert fds.needed(Control(api=1, conductor=1, scheduler=1, shape="reduced"), 1000) == 1003


def test_a_tally_tells_percentiles_and_peaks() -> None:
    tally = Tally()
    tally.lateness_s = [0.001 * n for n in range(100)]
    for depth in (0, 7, 3):
        tally.samples.append(Sample(at_s=0, role="conductor", in_flight=64, inner=depth, inner_max=depth, unsent=0))
    told = tally.as_dict()
    assert told["lateness_ms"] == {"p50": 50.0, "p95": 95.0, "max": 99.0}
    assert told["peaks"]["conductor"]["inner"] == 7


def test_a_tally_of_nothing_knows_no_lateness() -> None:
    assert Tally().as_dict()["lateness_ms"] == {"p50": None, "p95": None, "max": None}


def test_an_owner_is_read_again_as_it_was_written() -> None:
    owner = Owner.ourselves()
    assert Owner.read(f"some words, {owner.words}.") == owner
    assert Owner.read("owner=x pid=me") is None


@pytest.mark.parametrize("url", ["", "rabbit://h", "http://", "http://h:x"])
def test_a_management_url_that_is_none_is_told(url: str) -> None:
    with pytest.raises(UsageError, match="management URL"):
        Management(url, "user", "PS7q")


def test_a_management_api_that_is_not_there_is_told_without_the_password() -> None:
    api = Management("http://user:PS7q@127.0.0.1:9", "", "")
    with pytest.raises(BrokerError, match="can not be reached") as told:
        api.vhosts()
    assert "PS7q" not in str(told.value) + repr(api)
