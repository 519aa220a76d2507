"""`rpcscope record` on a real broker: every message once, whatever becomes of the recorder."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import Cli, new_cli
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.rabbitmq import Cloud
from tests.support.recording import broker_options, expect_each_once, is_left, locked
from tests.support.traffic import Traffic

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def cli(request: pytest.FixtureRequest, tmp_path: Path) -> Cli:
    if request.param == "sqlite":
        return new_cli(tmp_path)
    server: PostgresServer = request.getfixturevalue("postgresql")
    return new_cli(tmp_path, server.fresh())


@pytest.mark.parametrize("kills", [3, pytest.param(10, marks=pytest.mark.long)])
def test_a_recorder_killed_again_and_again_under_load_counts_every_message_once(
    cloud: Cloud, cli: Cli, kills: int
) -> None:
    traffic = Traffic(cloud)
    record = ("record", *broker_options(cloud), "--mode", "full")
    with cli.running(*record) as first:
        first.wait_for("rpcscope: recording")
        with traffic.flowing():
            time.sleep(random.uniform(0.2, 1.5))
            first.kill()
            for _ in range(kills - 1):
                with cli.running(*record) as again:
                    time.sleep(random.uniform(0.3, 4.0))
                    again.kill()
            with cli.running(*record) as last:
                last.wait_for("rpcscope: recording")
                time.sleep(0.5)
                last.kill()
    with cli.running(*record) as last:
        last.wait_for("rpcscope: recording")
        done = last.end()
    assert done.code == 0, done
    assert len(traffic.request_ids) > 100
    expect_each_once(cli, traffic)
    assert not is_left(cloud)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stores_what_was_traced_before_it_and_leaves_nothing_behind(
    cloud: Cloud, tmp_path: Path, number: signal.Signals
) -> None:
    cli, traffic = new_cli(tmp_path), Traffic(cloud)
    with cli.running("record", *broker_options(cloud), "--mode", "full", "--format", "json") as recorder:
        recorder.wait_for("rpcscope: recording")
        recorder.process.send_signal(signal.SIGSTOP)
        traffic.play(2000)  # more than the tap may read ahead
        recorder.process.send_signal(number)
        recorder.process.send_signal(signal.SIGCONT)
        done = recorder.done()
    assert done.code == 0, done
    expect_each_once(cli, traffic)
    totals = json.loads(done.out)
    assert totals["messages"] == totals["copies"] == 6000
    assert totals["operations"] == 2000
    assert totals["seen"] == totals["decoded"] + totals["rejected"] + totals["markers"]
    assert not is_left(cloud)


def test_tracing_that_was_on_before_stays_on(cloud: Cloud, tmp_path: Path) -> None:
    cloud.management.set_tracing(cloud.vhost, True)
    with new_cli(tmp_path).running("record", *broker_options(cloud)) as recorder:
        recorder.wait_for("rpcscope: recording")
        assert recorder.end().code == 0
    assert cloud.is_traced()


def test_a_recorder_ends_by_itself_after_its_duration(cloud: Cloud, tmp_path: Path) -> None:
    done = new_cli(tmp_path).run("record", *broker_options(cloud), "--duration", "1")
    assert done.code == 0, done
    assert "messages" in done.out
    assert not is_left(cloud)


def test_a_second_signal_leaves_at_once_and_the_broker_keeps_what_is_not_stored(cloud: Cloud, tmp_path: Path) -> None:
    cli, traffic = new_cli(tmp_path), Traffic(cloud)
    record = ("record", *broker_options(cloud), "--mode", "full")
    with cli.running(*record) as recorder:
        recorder.wait_for("rpcscope: recording")
        with locked(Path(cli.database)):
            traffic.play(100)
            recorder.process.send_signal(signal.SIGINT)
            time.sleep(1)
            assert recorder.process.poll() is None
            done = recorder.end()
    assert done.code == 130, done
    assert "Traceback" not in done.err
    assert not cloud.is_traced()
    with cli.running(*record) as again:
        again.wait_for("rpcscope: recording")
        assert again.end().code == 0
    expect_each_once(cli, traffic)
    assert not is_left(cloud)
