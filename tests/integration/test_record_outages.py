"""The broker and the database of a recorder go away under load and come back."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pika.exceptions import AMQPError

from rpcscope.private_broker import PrivateBroker
from tests.support.cli import Cli, new_cli
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.rabbitmq import Cloud, new_cloud
from tests.support.recording import broker_options, expect_each_once, is_left, locked, odd_operations
from tests.support.traffic import Traffic

pytestmark = pytest.mark.server
GIVE_UP_S = 60.0


@pytest.fixture
def breakable(tmp_path: Path) -> Iterator[Cloud]:
    with PrivateBroker(settings={"collect_statistics_interval": "1000"}) as server:
        yield new_cloud(server, tmp_path)


@pytest.fixture
def postgresql() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        try:
            yield server
        finally:
            end(server.process)


def test_a_broker_that_restarts_is_recorded_again_and_the_time_between_is_told(
    breakable: Cloud, tmp_path: Path
) -> None:
    cli = new_cli(tmp_path)
    before, between, after = Traffic(breakable), Traffic(breakable), Traffic(breakable)
    with cli.running("record", *broker_options(breakable), "--mode", "full") as recorder:
        recorder.wait_for("rpcscope: recording")
        before.play(200)
        wait_for_messages(cli, 600)
        with contextlib.suppress(AMQPError, OSError), between.flowing():
            time.sleep(1)
            breakable.server.stop()
            down = datetime.now(UTC)
            breakable.server.start()
        recorder.wait_for("connected again")
        wait_until_traced(breakable)
        after.play(200)
        done = recorder.end()
    assert done.code == 0, done
    assert not odd_operations(cli, before.request_ids)
    assert not odd_operations(cli, after.request_ids)
    status = cli.json("db", "status")
    gap = next(gap for gap in status["gaps"] if gap["cause"] == "disconnected")
    assert gap["from"] <= iso(down) <= gap["to"]
    assert f"blind {gap['from']} to {gap['to']} (disconnected)" in done.err
    assert f"blind {gap['from']} to {gap['to']}: disconnected" in cli.ok("db", "status")
    assert "Traceback" not in done.err
    assert not is_left(breakable)


def test_a_database_that_restarts_under_load_loses_nothing_and_counts_nothing_twice(
    cloud: Cloud, tmp_path: Path, postgresql: PostgresServer
) -> None:
    cli, traffic = new_cli(tmp_path, postgresql.fresh()), Traffic(cloud)
    with cli.running("record", *broker_options(cloud), "--mode", "full") as recorder:
        recorder.wait_for("rpcscope: recording")
        with traffic.flowing():
            for away_s in (0.0, 3.0):
                time.sleep(1)
                with stopped(postgresql):
                    time.sleep(away_s)
            time.sleep(1)
        done = recorder.end()
    assert done.code == 0, done
    assert "trying again" in done.err
    assert "Traceback" not in done.err
    expect_each_once(cli, traffic)
    assert not is_left(cloud)


@pytest.mark.parametrize("seconds", [3, pytest.param(20, marks=pytest.mark.long)])
def test_a_database_that_is_locked_for_a_while_loses_nothing(cloud: Cloud, tmp_path: Path, seconds: int) -> None:
    cli, traffic = new_cli(tmp_path), Traffic(cloud)
    with cli.running("record", *broker_options(cloud), "--mode", "full") as recorder:
        recorder.wait_for("rpcscope: recording")
        with traffic.flowing():
            time.sleep(1)
            with locked(Path(cli.database)):
                time.sleep(seconds)
        done = recorder.end()
    assert done.code == 0, done
    assert "Traceback" not in done.err
    assert (seconds < 15) or "trying again" in done.err
    expect_each_once(cli, traffic)
    assert not is_left(cloud)


def iso(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S.%f}Z"


def wait_for_messages(cli: Cli, number: int) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while cli.json("db", "status")["recordings"][0]["messages"] < number:
        assert time.monotonic() < deadline, "the recorder does not store"


def wait_until_traced(cloud: Cloud) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while not cloud.is_traced():
        assert time.monotonic() < deadline, "the recorder does not switch tracing on again"
        time.sleep(0.1)


@contextlib.contextmanager
def stopped(server: PostgresServer) -> Iterator[None]:
    """Down for a while, then the same server on the same data as another process."""
    old = server.process
    command = [str(word) for word in old.args] if isinstance(old.args, list) else []
    folder = Path(command[command.index("-k") + 1])
    end(old)
    yield
    with (folder / "log").open("ab") as log:
        server.process = subprocess.Popen(
            command, cwd=folder, user=folder.stat().st_uid, stdout=log, stderr=subprocess.STDOUT
        )


def end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown: its clients are cut off
    process.wait()
