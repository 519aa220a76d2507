"""A recorder that is killed, at whatever moment, leaves no tracing that nobody can end, and counts nothing twice."""

from __future__ import annotations

import random
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.cli import new_cli
from tests.support.killing import Killer, expect_a_trail, expect_no_trail, expect_once_or_explained, expire
from tests.support.rabbitmq import Cloud
from tests.support.recording import broker_options, is_left
from tests.support.traffic import Traffic

pytestmark = pytest.mark.server


@pytest.mark.parametrize(("kills", "seed"), [(5, 8), pytest.param(50, 1, marks=pytest.mark.long)])
def test_killed_at_any_moment_under_load_it_leaves_a_trail_and_tells_what_it_missed(
    cloud: Cloud, tmp_path: Path, kills: int, seed: int
) -> None:
    cli, traffic, chance = new_cli(tmp_path), Traffic(cloud, rate=60), random.Random(seed)
    killer, options = Killer(cloud, chance), broker_options(cloud)
    moments = [killer.at_arming, killer.at_run, killer.at_stop, killer.at_start, killer.at_run] * (kills // 5)
    with ExitStack() as stack:
        with traffic.flowing():
            for moment in moments:
                with cli.running("record", *options, "--mode", "full") as recorder:
                    moment(recorder)
                    recorder.kill()
                expect_a_trail(cloud)
                if chance.random() < 0.5:
                    assert cli.run("untrace", *options).code == 0
                    expect_no_trail(cloud)
            last = stack.enter_context(cli.running("record", *options, "--mode", "full"))
            last.wait_for("rpcscope: recording")
        assert last.end().code == 0
    assert not is_left(cloud)
    expect_no_trail(cloud)
    assert expect_once_or_explained(cli, traffic) > 10 * kills


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
