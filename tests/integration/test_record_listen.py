"""`rpcscope record --listen` as a user runs it: with a broker, without one, and what it refuses."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from tests.support import oslo_tap as inside
from tests.support.cli import Cli, new_cli
from tests.support.rabbitmq import Cloud
from tests.support.recording import broker_options

CALLS = 5


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return new_cli(tmp_path)


def call_and_cast(cli: Cli, url: str, lines: int) -> None:
    """Each request id has a call and a cast: three messages. Until so many sightings are in the database."""
    with inside.server(url), inside.transport(url) as asked:
        for number in range(CALLS):
            inside.client(asked).call(inside.context(number), "ping", arg="x")
            inside.client(asked, server="host-1").cast(inside.context(number), "note", arg="x")
        until_stored(cli, lines)


def until_stored(cli: Cli, lines: int) -> None:
    deadline = time.monotonic() + inside.GIVE_UP_S
    while sum(one["seen"] - one["markers"] for one in cli.json("db", "status")["recordings"]) < lines:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_services_are_recorded_without_a_tap_on_any_broker(cli: Cli, tmp_path: Path) -> None:
    address = inside.unix_address(tmp_path)
    with cli.running("record", "--listen", address) as recorder:
        recorder.wait_for("rpcscope: recording inside services")
        with inside.told_to(address):
            call_and_cast(cli, "rpcscope+fake://", 4 * CALLS)
        done = recorder.end()
    assert done.code == 0, done.err
    operations = cli.json("operations", "--all")
    assert {one["request_id"]: one["messages"] for one in operations} == {
        inside.context(number)["request_id"]: 3 for number in range(CALLS)
    }
    assert Counter((call["kind"], call["outcome"]) for call in cli.json("calls", "--all")) == {
        ("call", "ok"): CALLS,
        ("cast", None): CALLS,
    }


@pytest.mark.server
def test_a_call_that_is_told_from_inside_and_seen_on_the_bus_is_one_call_and_counted_once(
    cli: Cli, cloud: Cloud, tmp_path: Path
) -> None:
    address = inside.unix_address(tmp_path)
    with cli.running("record", *broker_options(cloud), "--mode", "full", "--listen", address) as recorder:
        recorder.wait_for("rpcscope: recording")
        with inside.told_to(address):
            call_and_cast(cli, inside.wrapped(cloud.server.transport_url(cloud.vhost)), (6 + 4) * CALLS)
        done = recorder.end()
    assert done.code == 0, done.err
    calls = cli.json("calls", "--all")
    assert Counter((c["kind"], c["outcome"], c["publishes"], c["replies"], c["copies"]) for c in calls) == {
        ("call", "ok", 1, 1, 2): CALLS,
        ("cast", None, 1, 0, 1): CALLS,
    }
    (recording,) = cli.json("db", "status")["recordings"]
    assert (recording["messages"], recording["copies"]) == (3 * CALLS, 3 * CALLS)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--listen", "5999"), "write --listen unix:/path or --listen tcp://host:port"),
        (("--listen", "tcp://0.0.0.0:5999"), "--listen-token-file"),
        (("--listen-token-file", "/nowhere"), "is for --listen"),
        (("--listen", "tcp://127.0.0.1:0", "--listen-token-file", "/nowhere"), "can not be read"),
        (("--listen", "unix:/nowhere/tap.sock"), "choose another path"),
        (("--listen", "tcp://127.0.0.1:0", "--management-url", "http://u:PS7q@h:1"), "name it by --transport-url"),
        (("--listen", "unix:/tmp/x", "--transport-url", "rabbit://u:PS7q@a/v", "--transport-url", "rabbit://u:PS7q@b/v"),
         "one recorder for each broker"),
    ],
)  # fmt: skip
def test_what_can_not_be_listened_to_is_refused_with_a_sentence(cli: Cli, options: tuple[str, ...], says: str) -> None:
    done = cli.run("record", *options)
    assert done.code == 2
    assert says in done.sentence
    assert "PS7q" not in done.err
