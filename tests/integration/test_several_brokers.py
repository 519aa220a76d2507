"""One `rpcscope record` on two brokers of one cloud: two recordings, one operation."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rpcscope.private_broker import PrivateBroker
from tests.support.bus import Bus
from tests.support.cli import Cli, new_cli
from tests.support.nova import Nova
from tests.support.rabbitmq import Cloud, new_cloud
from tests.support.recording import is_left, locked
from tests.support.stage import play
from tests.support.traffic import Traffic

pytestmark = pytest.mark.server
LOAD = 3_000
"""Events that each of two recorders stores while both write; some 700 come a second."""


@pytest.fixture(scope="module")
def second() -> Iterator[PrivateBroker]:
    with PrivateBroker(settings={"collect_statistics_interval": "1000"}) as server:
        yield server


@pytest.fixture
def cell(second: PrivateBroker, tmp_path: Path) -> Cloud:
    return new_cloud(second, tmp_path)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return new_cli(tmp_path)


def options(*clouds: Cloud) -> list[str]:
    """Both brokers are on one host, so their management APIs are told apart by the vhost."""
    found = ["--state-dir", str(clouds[0].state_dir)]
    for cloud in clouds:
        found += ["--transport-url", cloud.server.transport_url(cloud.vhost)]
        found += ["--management-url", f"{cloud.vhost}={cloud.server.management_url}"]
    return found


def until_seen(cli: Cli, vhost: str, events: int) -> bool:
    """Whether a recorder stores so many events within a minute."""
    for _ in range(120):
        if any(told["seen"] >= events for told in cli.json("status") if told["vhost"] == vhost):
            return True
        time.sleep(0.5)
    return False


def nodes(tree: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for node in tree for one in (node, *nodes(node["children"]))]


def test_a_boot_that_crosses_two_brokers_is_one_operation_when_read(cloud: Cloud, cell: Cloud, cli: Cli) -> None:
    bus = Bus()
    nova = Nova(bus, computes=1)
    request_id, server = bus.request_id(), bus.uuid()
    nova.boot(request_id, [server])
    with cli.running("record", *options(cloud, cell), "--mode", "full", "--format", "json") as recorder:
        recorder.wait_for(f"vhost {cell.vhost}, mode full")
        play(bus, (cloud, cell), lambda number: cell if number else cloud)
        done = recorder.end()
    assert done.code == 0, done
    publishes = sum(event.routing_key.startswith("publish.") for event in bus.events)
    copies = len(bus.events) - publishes
    totals = json.loads(done.out)
    assert [(one["messages"], one["copies"]) for one in totals] == [(1, 1), (publishes - 1, copies - 1)]
    (found,) = cli.json("operations", "--all")
    assert (found["request_id"], found["kind"], found["instances"]) == (request_id, "create", [server])
    assert (found["messages"], found["copies"], found["status"]) == (publishes, copies, "done")
    calls = cli.json("calls", "--all")
    shown = cli.json("show", request_id)
    assert sorted(one["unique_id"] for one in nodes(shown["calls"])) == sorted(one["unique_id"] for one in calls)
    # Its processes connected after the recorder, so they may have no names yet: what is not known is not joined.
    # Real services, whose processes are named, have one tree: test_cells.py.
    roots = {one["method"] for one in shown["calls"]}
    assert "schedule_and_build_instances" in roots
    assert roots <= {"schedule_and_build_instances", "select_destinations", "build_and_run_instance"}
    assert not is_left(cloud)
    assert not is_left(cell)


def test_two_recorders_share_an_sqlite_file_under_load(cloud: Cloud, cell: Cloud, cli: Cli) -> None:
    both = [Traffic(cloud), Traffic(cell)]
    with cli.running("record", *options(cloud, cell), "--mode", "full", "--format", "json") as recorder:
        recorder.wait_for(f"vhost {cell.vhost}, mode full")
        with both[0].flowing(), both[1].flowing():
            assert all(until_seen(cli, cloud.vhost, LOAD) for cloud in (cloud, cell))
        done = recorder.end()
    assert done.code == 0, done
    for one, traffic in zip(json.loads(done.out), both, strict=True):
        assert (one["messages"], one["copies"]) == (3 * len(traffic.request_ids), 3 * len(traffic.request_ids))
        assert (one["gaps"], one["duplicates"], one["rejected"]) == (0, 0, 0)
    assert len(cli.json("operations", "--all")) == sum(len(traffic.request_ids) for traffic in both)


def test_a_second_signal_leaves_both_at_once_and_the_next_run_has_everything(
    cloud: Cloud, cell: Cloud, cli: Cli
) -> None:
    both = [Traffic(cloud), Traffic(cell)]
    record = ("record", *options(cloud, cell), "--mode", "full", "--format", "json")
    with cli.running(*record) as recorder:
        recorder.wait_for(f"vhost {cell.vhost}, mode full")
        with locked(Path(cli.database)):
            for traffic in both:
                traffic.play(50)
            recorder.process.send_signal(signal.SIGINT)
            time.sleep(1)
            assert recorder.process.poll() is None
            done = recorder.end()
    assert done.code == 130, done
    assert "Traceback" not in done.err
    assert not cloud.is_traced()
    assert not cell.is_traced()
    with cli.running(*record) as again:
        again.wait_for(f"vhost {cell.vhost}, mode full")
        done = again.end()
    assert done.code == 0, done
    assert [(one["messages"], one["copies"]) for one in json.loads(done.out)] == [(150, 150), (150, 150)]


def test_one_broker_that_refuses_at_the_start_refuses_all(cloud: Cloud, cell: Cloud, cli: Cli) -> None:
    given = options(cloud, cell)
    given[given.index("--transport-url", 4) + 1] = cell.server.transport_url("nowhere")
    given[-1] = given[-1].replace(cell.vhost, "nowhere", 1)
    assert "nowhere" in cli.refused(5, "record", *given)
    assert not is_left(cloud)
    assert not is_left(cell)


def test_a_broker_that_dies_does_not_end_the_recording_of_the_others(cloud: Cloud, cli: Cli, tmp_path: Path) -> None:
    with PrivateBroker() as server:
        dying = new_cloud(server, tmp_path)
        with cli.running("record", *options(cloud, dying), "--mode", "full") as recorder:
            recorder.wait_for(f"vhost {dying.vhost}, mode full")
            server.kill()
            traffic = Traffic(cloud)
            traffic.play(20)
            done = recorder.end()
    assert done.code == 5, done
    assert f"vhost {dying.vhost} is no longer recorded: Tracing may still be on" in done.err
    rows = {one["vhost"]: one for one in cli.json("status")}
    assert (rows[cloud.vhost]["messages"], rows[cloud.vhost]["gaps"]) == (60, [])
    assert not is_left(cloud)
