"""A recorder that is killed, at whatever moment, leaves no tracing that nobody can end, and counts nothing twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.cli import Running, new_cli
from tests.support.killing import (
    Killer,
    expect_a_trail,
    expect_no_trail,
    expect_nothing_twice,
    expect_once_or_explained,
    expire,
)
from tests.support.rabbitmq import Cloud
from tests.support.recording import broker_options, is_left
from tests.support.traffic import Traffic

pytestmark = pytest.mark.server

FULL = ("--mode", "full")
FLIGHT = ("--flight", "--flight-mode", "full", "--cool-down", "1s", "--max-broker-cpu", "100%")


def kill_and_kill_again(
    killer: Killer, traffic: Traffic, mode: Sequence[str], moments: Sequence[Callable[[Running], None]]
) -> None:
    """A recorder for each moment, killed then; every other time `untrace` comes before the next. The last ends well.

    Whenever tracing is on, the state folder says that it is ours.
    """
    cloud, cli = killer.cloud, killer.cli
    record = ("record", *broker_options(cloud), *mode)
    with ExitStack() as stack:
        with traffic.flowing():
            for moment in moments:
                with cli.running(*record) as recorder:
                    moment(recorder)
                    recorder.kill()
                expect_a_trail(cloud)
                if killer.chance.random() < 0.5:
                    assert cli.run("untrace", *broker_options(cloud)).code == 0
                    expect_no_trail(cloud)
            last = stack.enter_context(cli.running(*record))
            last.wait_for("rpcscope: recording")
        assert last.end().code == 0
    assert not is_left(cloud)
    expect_no_trail(cloud)


@pytest.mark.parametrize(("kills", "seed"), [(5, 8), pytest.param(25, 1, marks=pytest.mark.long)])
def test_killed_at_any_moment_under_load_it_leaves_a_trail_and_tells_what_it_missed(
    cloud: Cloud, tmp_path: Path, kills: int, seed: int
) -> None:
    cli, traffic = new_cli(tmp_path), Traffic(cloud, rate=60)
    killer = Killer(cloud, cli, random.Random(seed))
    moments = [killer.at_arming, killer.at_run, killer.at_stop, killer.at_start, killer.at_run] * (kills // 5)
    kill_and_kill_again(killer, traffic, FULL, moments)
    assert expect_once_or_explained(cli, traffic) > 10 * kills


@pytest.mark.parametrize(("kills", "seed"), [(3, 5), pytest.param(15, 2, marks=pytest.mark.long)])
def test_a_flight_recorder_killed_around_a_trigger_leaves_a_trail_and_tells_what_it_missed(
    cloud: Cloud, tmp_path: Path, kills: int, seed: int
) -> None:
    cli, traffic = new_cli(tmp_path), Traffic(cloud, rate=60)
    killer = Killer(cloud, cli, random.Random(seed))
    moments = [killer.at_trigger, killer.at_trigger, killer.at_stop] * (kills // 3)
    kill_and_kill_again(killer, traffic, FLIGHT, moments)
    assert expect_once_or_explained(cli, traffic, deliveries=False) > 10 * kills


@pytest.mark.parametrize(("kills", "seed"), [(1, 3), pytest.param(10, 4, marks=pytest.mark.long)])
def test_a_flight_recorder_without_tracing_but_for_its_details_leaves_a_trail_of_them(
    cloud: Cloud, tmp_path: Path, kills: int, seed: int
) -> None:
    cli, traffic = new_cli(tmp_path), Traffic(cloud, rate=60)
    traffic.play(1)  # makes the exchanges
    killer = Killer(cloud, cli, random.Random(seed))
    kill_and_kill_again(killer, traffic, (*FLIGHT, "--flight-base", "bindings"), [killer.at_trigger] * kills)
    expect_nothing_twice(cli)


def test_after_a_kill_nothing_is_left_of_it_once_it_is_untraced_and_its_queue_expired(
    cloud: Cloud, tmp_path: Path
) -> None:
    cli, options = new_cli(tmp_path), broker_options(cloud)
    with cli.running("record", *options) as recorder:
        recorder.wait_for("rpcscope: recording")
        recorder.kill()
    expect_a_trail(cloud)
    assert cloud.is_traced()
    assert f"Tracing of vhost {cloud.vhost} ended" in cli.ok("untrace", *options)
    expire(cloud)
    assert not is_left(cloud)
