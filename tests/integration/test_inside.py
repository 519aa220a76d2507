"""Where the time of real calls goes: a slow endpoint, a pool that is too small, a worker that does not listen."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from rpcscope.private_broker import PrivateBroker
from tests.support.cli import Cli, new_cli
from tests.support.oslo_tap import told_to, unix_address
from tests.support.rabbitmq import Cloud, new_cloud
from tests.support.recording import broker_options
from tests.support.workers import Worker, calling, request_id, worker

pytestmark = pytest.mark.server

DRIVER = "rpcscope+"
TOPIC = "conductor"
HELD_S = 1.0
GIVE_UP_S = 90.0
SLOW, FIRST, SECOND, STOPPED = range(1, 5)
PARTS = ("broker_wait_ms", "pool_wait_ms", "execution_ms", "reply_wait_ms")


@dataclass(frozen=True)
class Story:
    """Calls as rpcscope shows them, and how long their caller waited by its own watch, by number."""

    calls: dict[int, dict[str, Any]]
    waited_ms: dict[int, float]
    shown: str

    def told(self, number: int) -> dict[str, Any]:
        told: dict[str, Any] = self.calls[number]["told"]
        return told

    def longest(self, number: int) -> str:
        """Where most of the time went."""
        return max(PARTS, key=lambda part: self.told(number)[part])


@pytest.fixture(scope="module")
def story(rabbitmq: PrivateBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """One worker with one thread, which answers when it is told to; recorded by firehose and driver together."""
    folder = tmp_path_factory.mktemp("inside")
    cloud, cli = new_cloud(rabbitmq, folder), new_cli(folder)
    address = unix_address(folder)
    with cli.running("record", *broker_options(cloud), "--mode", "full", "--listen", address) as recorder:
        recorder.wait_for("rpcscope: recording")
        with told_to(address), worker(cloud, TOPIC, "host-1", pool_size=1, driver=DRIVER) as one:
            waited = _play(cloud, one)
            calls = _recorded(cli)
        assert recorder.end().code == 0
    yield Story(calls, waited, cli.ok("show", request_id(SECOND)))
    rabbitmq.remove_vhost(cloud.vhost)


def _play(cloud: Cloud, one: Worker) -> dict[int, float]:
    waited: dict[int, float] = {}
    with _asking(cloud, one, SLOW, 1, waited):
        time.sleep(HELD_S)
    with _asking(cloud, one, FIRST, 2, waited):
        time.sleep(HELD_S)
        one.answer(1)
        time.sleep(HELD_S)
    os.kill(one.process.pid, signal.SIGSTOP)
    try:
        with _asking(cloud, one, STOPPED, 1, waited):
            time.sleep(2 * HELD_S)
            os.kill(one.process.pid, signal.SIGCONT)
    finally:
        os.kill(one.process.pid, signal.SIGCONT)
    return waited


@contextmanager
def _asking(cloud: Cloud, one: Worker, first: int, calls: int, waited: dict[int, float]) -> Iterator[None]:
    """Calls are under way while the block runs; then they are answered."""
    began = time.monotonic()
    with calling(cloud, TOPIC, calls, driver=DRIVER, first=first) as under_way:
        yield
        one.answer(1)
        for number, call in enumerate(under_way):
            call.result(GIVE_UP_S)
            waited[first + number] = (time.monotonic() - began) * 1000


def _recorded(cli: Cli) -> dict[int, dict[str, Any]]:
    """The calls, once both sides of all of them have told everything."""
    deadline = time.monotonic() + GIVE_UP_S
    while True:
        known = {one["request_id"]: one for one in cli.json("calls", "--all") if one["told"]}
        whole = {key for key, one in known.items() if None not in one["told"].values()}
        if whole >= {request_id(number) for number in range(SLOW, STOPPED + 1)}:
            return {number: known[request_id(number)] for number in range(SLOW, STOPPED + 1)}
        assert time.monotonic() < deadline, known
        time.sleep(0.2)


def test_a_slow_endpoint_shows_as_execution(story: Story) -> None:
    assert story.longest(SLOW) == "execution_ms"
    assert story.told(SLOW)["execution_ms"] > story.waited_ms[SLOW] / 2


def test_a_pool_of_one_thread_shows_as_pool_wait_of_the_call_behind(story: Story) -> None:
    behind = max((FIRST, SECOND), key=lambda number: story.told(number)["pool_wait_ms"])
    before = FIRST + SECOND - behind
    assert story.longest(before) == "execution_ms"
    assert story.told(before)["pool_wait_ms"] < story.told(before)["execution_ms"]
    assert story.told(behind)["pool_wait_ms"] > story.told(before)["execution_ms"] / 2


def test_a_worker_that_does_not_listen_shows_as_broker_wait(story: Story) -> None:
    """The broker has given it the message by then, so what the bus shows is no wait in a queue."""
    assert story.longest(STOPPED) == "broker_wait_ms"
    assert story.told(STOPPED)["broker_wait_ms"] > story.waited_ms[STOPPED] / 2
    assert story.calls[STOPPED]["broker_wait_ms"] < story.told(STOPPED)["broker_wait_ms"] / 2


@pytest.mark.parametrize("number", range(SLOW, STOPPED + 1))
def test_the_four_durations_add_up_to_what_the_caller_waited(story: Story, number: int) -> None:
    told = story.told(number)
    assert sum(told[part] for part in PARTS) == pytest.approx(told["total_ms"], abs=told["clock_error_ms"] + 0.005)
    assert told["total_ms"] <= story.waited_ms[number]
    assert told["total_ms"] >= max(told[part] for part in PARTS)


def test_a_call_seen_by_both_taps_is_one_call_with_the_clock_of_the_tap(story: Story) -> None:
    for one in story.calls.values():
        assert (one["publishes"], one["replies"], one["copies"], one["clock"]) == (1, 1, 2, "tap")
        assert one["to"]["process"].startswith("worker_process.py:")


def test_show_draws_the_four_durations(story: Story) -> None:
    assert "pool " in story.shown
    assert "(in the queue, waiting for a thread of the pool, execution, the reply on its way)" in story.shown.replace(
        "\n", " "
    )
