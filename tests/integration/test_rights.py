"""The accounts that the page on production tells of are enough for each mode, and no right of theirs is spare."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from rpcscope.errors import BrokerError
from rpcscope_collectors.management import Management
from tests.support.cli import Cli, Done, new_cli
from tests.support.rabbitmq import Cloud
from tests.support.rights import Account, account, alternatives
from tests.support.traffic import Traffic

pytestmark = pytest.mark.server

FIREHOSE, REQUESTS = account("The tap, modes publish, control and full"), account("The tap, mode bindings")
TRACER, MONITOR = account("The tracer"), account("The monitor, instead of the tracer")
OPERATIONS = 20
EVENTS = {"publish": 3, "control": 5, "full": 6, "bindings": 2}
"""Of an operation's call, reply and cast: publishes, deliveries, and what goes by the exchange of the services."""


def record(cli: Cli, cloud: Cloud, tap: Account, managing: Account | None, *options: str) -> Done:
    """Record some traffic with these accounts, to a good end or until it is refused."""
    urls = ["--transport-url", f"rabbit://{tap.made(cloud)}127.0.0.1:{cloud.server.port}/{cloud.vhost}"]
    if managing is not None:
        urls += ["--management-url", f"http://{managing.made(cloud)}127.0.0.1:{cloud.server.management_port}"]
    state = ("--state-dir", str(cloud.state_dir), "--format", "json")
    with cli.running("record", *urls, *state, *options) as recorder:
        while "rpcscope: recording" not in recorder.said:
            if recorder.process.poll() is not None:
                return recorder.done()
            time.sleep(0.05)
        Traffic(cloud).play(OPERATIONS)
        return recorder.end()


def expect_recorded(done: Done, mode: str) -> None:
    """Every event of the mode, and no word but that it records."""
    assert done.code == 0, done
    assert done.sentence.startswith("recording "), done
    totals = json.loads(done.out)
    assert totals["decoded"] == EVENTS[mode] * OPERATIONS
    assert totals["gaps"] == 0


def expect_refused(cloud: Cloud, done: Done, *words: str) -> None:
    """One sentence with these words, no password in it, and nothing left on the broker."""
    assert (done.code, done.out) == (5, "")
    assert all(word in done.sentence for word in words), done
    assert "PS7q" not in done.err
    assert not cloud.is_traced()
    assert not [name for name in cloud.management.queues(cloud.vhost) if name.startswith("rpcscope.")]


@pytest.mark.parametrize("mode", ["publish", "control", "full"])
def test_tap_and_tracer_are_enough_for_the_firehose(cloud: Cloud, tmp_path: Path, mode: str) -> None:
    services(cloud)
    expect_recorded(record(new_cli(tmp_path), cloud, FIREHOSE, TRACER, "--mode", mode), mode)
    assert not cloud.is_traced()


@pytest.mark.parametrize("managing", [MONITOR, None])
def test_without_the_tracer_a_person_switches_tracing(cloud: Cloud, tmp_path: Path, managing: Account | None) -> None:
    services(cloud)
    cloud.management.set_tracing(cloud.vhost, True)
    done = record(new_cli(tmp_path), cloud, FIREHOSE, managing, "--mode", "full", "--no-trace")
    expect_recorded(done, "full")
    assert cloud.is_traced()


@pytest.mark.parametrize("managing", [MONITOR, TRACER])
def test_mode_bindings_needs_no_more_than_its_account_and_who_lists_exchanges(
    cloud: Cloud, tmp_path: Path, managing: Account
) -> None:
    services(cloud)
    done = record(new_cli(tmp_path), cloud, REQUESTS, managing, "--mode", "bindings", "--exchange", "nova")
    expect_recorded(done, "bindings")


@pytest.mark.parametrize(
    ("right", "name", "sentence"),
    [
        ("configure", r"rpcscope\.tap\..*", "making its queue needs configure on rpcscope.tap.*"),
        ("write", r"rpcscope\.tap\..*", "binding needs write on rpcscope.tap.*"),
        ("write", r"amq\.default", "markers need write on amq.default"),
        ("read", r"rpcscope\.tap\..*", "consuming needs read on rpcscope.tap.*"),
        ("read", r"amq\.rabbitmq\.trace", "binding needs read on amq.rabbitmq.trace"),
    ],
)
def test_each_right_of_the_tap_that_is_missing_is_named_and_nothing_is_left(
    cloud: Cloud, tmp_path: Path, right: str, name: str, sentence: str
) -> None:
    done = record(new_cli(tmp_path), cloud, FIREHOSE.without(right, name), TRACER)
    expect_refused(cloud, done, FIREHOSE.name, sentence)


@pytest.mark.parametrize("name", ["nova", ".*_fanout"])
def test_each_exchange_that_mode_bindings_may_not_read_is_named(cloud: Cloud, tmp_path: Path, name: str) -> None:
    services(cloud)
    done = record(new_cli(tmp_path), cloud, REQUESTS.without("read", name), MONITOR, "--mode", "bindings")
    expect_refused(cloud, done, "binding needs read on", name.removeprefix(".*"))


def test_the_rights_that_are_taken_away_here_are_all_there_are() -> None:
    tap, trace, default = r"rpcscope\.tap\..*", r"amq\.rabbitmq\.trace", r"amq\.default"
    parts = {right: alternatives(pattern) for right, pattern in FIREHOSE.rights.items()}
    assert parts == {"configure": [tap], "write": [tap, default], "read": [tap, trace]}
    parts = {right: alternatives(pattern) for right, pattern in REQUESTS.rights.items()}
    assert parts == {"configure": [tap], "write": [tap, default], "read": [tap, "nova", ".*_fanout"]}
    assert (TRACER.tags, TRACER.rights) == ("administrator", {})
    assert (MONITOR.tags, MONITOR.rights) == ("monitoring", dict.fromkeys(("configure", "write", "read"), "^$"))


@pytest.mark.parametrize(("tags", "words"), [("monitoring", "tag administrator"), ("", "tag administrator")])
def test_a_tracer_without_its_tag_is_told_to_need_it(cloud: Cloud, tmp_path: Path, tags: str, words: str) -> None:
    done = record(new_cli(tmp_path), cloud, FIREHOSE, Account(TRACER.name, tags))
    expect_refused(cloud, done, TRACER.name, words, f"trace_on -p {cloud.vhost}")


def test_the_tracer_can_not_read_over_amqp(cloud: Cloud, tmp_path: Path) -> None:
    done = record(new_cli(tmp_path), cloud, TRACER, None)
    assert (done.code, done.out) == (5, "")
    assert "may not use vhost" in done.err.splitlines()[-1]


def test_the_monitor_can_change_nothing(cloud: Cloud) -> None:
    MONITOR.made(cloud)
    monitor = Management(cloud.server.management_url, f"{MONITOR.name}-{cloud.vhost}", "PS7q")
    assert monitor.tracing(cloud.vhost) is False
    with pytest.raises(BrokerError, match="tag administrator"):
        monitor.set_tracing(cloud.vhost, True)


def services(cloud: Cloud) -> None:
    """The queues and exchanges that services make before anybody watches them."""
    Traffic(cloud).play(1)
    with cloud.connect() as connection:
        connection.channel().exchange_declare("compute_fanout", "fanout")
