"""`rpcscope emulate` as a person runs it: planned, played on a real broker, recorded live, and gone afterwards."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rpcscope.cli.cleaning import OWNED
from rpcscope.emulator.management import Management
from rpcscope.private_broker import PrivateBroker
from rpcscope.store import open_store
from rpcscope.store.run_rows import Run, RunState
from tests.support.cli import Cli, Done, Running, new_cli

FLEET = """
flavors: {small: {memory_gib: 1, dirty_mb_s: 20}}
hosts: [{count: 3, memory_gib: 32, servers: {small: 1}}]
timing: {reboot_s: 20, check_s: 2}
control: {api: 1, conductor: 1, scheduler: 1}
"""


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    return new_cli(tmp_path, TMPDIR=str(tmp_path))


@pytest.fixture
def place(rabbitmq: PrivateBroker) -> list[str]:
    """The tests' broker, as a person names it; its vhost in the URL is not looked at."""
    url = rabbitmq.management_url.replace("://", f"://{rabbitmq.user}:{rabbitmq.password}@")
    return ["--transport-url", rabbitmq.transport_url("/"), "--management-url", url]


def vhosts(server: PrivateBroker) -> set[str]:
    return {one.name for one in Management(server.management_url, server.user, server.password).vhosts()}


def the_run(cli: Cli) -> Run:
    with open_store(cli.database) as store:
        (run,) = store.reader().runs(5)
        return run


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


def played(done: Done) -> dict[str, Any]:
    assert done.code == 0, done
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_a_dry_run_shows_the_plan_and_does_nothing(cli: Cli) -> None:
    said = cli.ok("emulate", "rolling-update", "--fleet", "fleet.yaml", "--speed", "10", "--dry-run")
    for words in ("3 hosts", "live-migration", "set_host_enabled", "23 connections", "a fake driver"):
        assert words in said
    assert not Path(cli.database).exists()
    told = json.loads(cli.ok("emulate", "drain", "--fleet", "fleet.yaml", "--dry-run", "--format", "json"))
    assert told["expected"]["kinds"]["live-migration"]["asked"] == 1
    assert told["asked"]["parameters"]["fallback"] == "leave"
    assert told["asked"]["templates"]["live-migration"]["driver"] == "fake"


@pytest.mark.server
def test_a_rolling_update_on_a_private_broker_is_recorded_as_it_was_planned(cli: Cli, tmp_path: Path) -> None:
    done = cli.run("emulate", "rolling-update", "--fleet", "fleet.yaml", "--speed", "20", "--batch", "1", "--label",
                   "first", "--format", "json", "--yes")  # fmt: skip
    told = played(done)
    assert (told["state"], told["label"], told["outcome"]["operations"]["failed"]) == ("done", "first", 0)
    kinds = {one["kind"]: (one["expected"], one["measured"]) for one in told["kinds"]}
    assert set(kinds) == {"live-migration", "set_host_enabled", "startup"}
    for expected, measured in kinds.values():
        assert measured["operations"] == expected["operations"] == measured["done"]
    for kind in ("set_host_enabled", "startup"):  # a copy may have a round of its monitor more or less
        assert kinds[kind][0]["messages"] == kinds[kind][1]["messages"]
    assert told["background_messages"] > 0
    with open_store(cli.database) as store:
        reader, run = store.reader(), the_run(cli)
        assert run.ended_ns is not None
        depth = [one for one in reader.families(run.started_ns, run.ended_ns) if one.vhost == run.vhost]
        assert {"conductor", "compute.*"} <= {one.family for one in depth}
        assert reader.in_flight(run.started_ns, run.ended_ns)
        assert [info.recording.label for info in reader.recordings()] == [run.vhost]
    assert list(tmp_path.glob("rpcscope-*")) == []


@pytest.mark.server
def test_on_a_broker_of_ones_own_a_vhost_is_made_and_removed(
    cli: Cli, rabbitmq: PrivateBroker, place: list[str]
) -> None:
    before = vhosts(rabbitmq)
    done = cli.run("emulate", "boot-storm", "--fleet", "fleet.yaml", "--count", "5", "--pace", "5", "--format", "json",
                   "--yes", *place)  # fmt: skip
    told = played(done)
    (kind,) = told["kinds"]
    for word in ("operations", "done"):
        assert kind["measured"][word] == kind["expected"][word]
    for word in ("rpcs", "messages"):  # of each boot's ComputeNode.save the cause is inferred: its request id is stale
        assert kind["measured"][word] == pytest.approx(kind["expected"][word], abs=2)
    assert kind["measured"]["bytes"] == pytest.approx(kind["expected"]["bytes"], rel=0.05)
    assert told["outcome"]["part"]["pace"]["sent"] == 5
    assert told["vhost"].startswith("rpcscope-boot-storm-")
    assert vhosts(rabbitmq) == before
    assert rabbitmq.password not in done.out + done.err


@pytest.fixture
def long_run(cli: Cli, place: list[str]) -> Iterator[Running]:
    """A run that would take a quarter of an hour."""
    options = ("--fleet", "fleet.yaml", "--count", "900", "--pace", "1", "--yes", *place)
    with cli.running("emulate", "churn", *options) as running:
        running.wait_for("playing churn in vhost")
        yield running


@pytest.mark.server
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_keeps_what_was_recorded_and_leaves_nothing_behind(
    cli: Cli, rabbitmq: PrivateBroker, long_run: Running, tmp_path: Path, number: signal.Signals
) -> None:
    vhost = the_run(cli).vhost
    assert vhost in vhosts(rabbitmq)
    until(lambda: the_run(cli).outcome["operations"]["done"] > 0)
    done = long_run.end(number)
    assert done.code == 130, done
    assert "interrupted" in done.out
    run = the_run(cli)
    assert (run.state, run.ended_ns is not None) == (RunState.INTERRUPTED, True)
    assert run.outcome["operations"]["asked"] < 900
    with open_store(cli.database) as store:
        (info,) = store.reader().recordings()
        assert info.recording.ended_ns is not None
        assert info.counters.messages > 0
    assert vhost not in vhosts(rabbitmq)
    assert list(tmp_path.glob("rpcscope-*")) == []


@pytest.mark.server
def test_what_a_killed_run_left_behind_is_cleaned(
    cli: Cli, rabbitmq: PrivateBroker, place: list[str], long_run: Running, tmp_path: Path
) -> None:
    vhost, mine = the_run(cli).vhost, f"pid={long_run.process.pid} "
    assert recorders(mine)
    assert "No ended run" in cli.ok("emulate", "--clean", *place)
    assert vhost in vhosts(rabbitmq)
    long_run.kill()
    assert vhost in vhosts(rabbitmq)
    said = cli.ok("emulate", "--clean", *place)
    assert f"vhost {vhost}" in said
    assert "the recorder with pid" in said
    assert vhost not in vhosts(rabbitmq)
    until(lambda: not recorders(mine))
    assert list(tmp_path.glob("rpcscope-*")) == []


def recorders(owner: str) -> list[int]:
    """Processes whose environment says that they are this run's."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if any(part.startswith(f"{OWNED}=") and owner in part for part in text.split("\0")):
            found.append(int(folder.name))
    return found


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rolling-up", "--fleet", "fleet.yaml"), "No such command"),
        ((), "--list shows all"),
        (("drain", "--fleet", "nowhere.yaml"), "nowhere.yaml"),
        (("drain", "--fleet", "fleet.yaml", "--parallel", "many"), "parameters can not be used"),
        (("drain", "--fleet", "fleet.yaml", "--hosts", "elsewhere"), "elsewhere"),
        (("boot-storm", "--fleet", "fleet.yaml", "--pace", "fast"), "A pace is a rate"),
        (("drain", "--fleet", "fleet.yaml", "--transport-url", "rabbit://a:b@127.0.0.1:1/"), "belong together"),
        (("drain", "--fleet", "fleet.yaml", "--label", "a\nb"), "--label wants"),
        (("drain", "--fleet", "fleet.yaml", "--templates", "home"), "no template in"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    done = cli.run("emulate", *arguments, "--yes") if arguments else cli.run("emulate")
    assert (done.code, words in done.sentence) == (2, True), done
    assert os.environ.get("HOME", "/nowhere") not in done.sentence
