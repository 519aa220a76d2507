"""Work in flight of real services: what the broker's queue does not show is told by process, over time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rpcscope.query.in_flight_over import in_flight_over
from rpcscope.store import open_store
from tests.support.cli import Cli, new_cli
from tests.support.queues import wait_for
from tests.support.rabbitmq import Cloud
from tests.support.recording import broker_options
from tests.support.workers import calling, worker

pytestmark = pytest.mark.server
CALLS = 20
WINDOW_NS = 600_000_000_000


@contextmanager
def recording(cloud: Cloud, folder: Path) -> Iterator[Cli]:
    """A recorder that runs meanwhile."""
    cli = new_cli(folder)
    with cli.running("record", *broker_options(cloud)) as recorder:
        recorder.wait_for("rpcscope: recording")
        yield cli
        assert recorder.end().code == 0


def in_store(cli: Cli) -> list[dict[str, Any]]:
    """What `rpcscope inflight --pool-size 1 --format json` tells, without a process for each look."""
    with open_store(cli.database) as store:
        reader = store.reader()
        to_ns = max(info.last_ns for info in reader.recordings())
        rows = in_flight_over(reader, to_ns - WINDOW_NS, to_ns).as_dict(1)["in_flight"]
    assert isinstance(rows, list)
    return rows


def told(cli: Cli, name: str) -> dict[str, Any]:
    """The line of a process; nothing while it has none."""
    return next((row for row in in_store(cli) if row["process"] == name), {})


def wait_until_told(cli: Cli, name: str, now: int, **more: Any) -> dict[str, Any]:
    """The line of a process once it has so many calls in hand."""

    def is_told() -> bool:
        row = told(cli, name)
        return (row.get("now"), {key: row.get(key) for key in more}) == (now, more)

    wait_for(is_told, within_s=90)
    return told(cli, name)


def test_a_swamped_worker_with_an_empty_queue_is_told(cloud: Cloud, tmp_path: Path) -> None:
    with worker(cloud, "work", "w1", pool_size=1) as slow, recording(cloud, tmp_path) as cli:
        with calling(cloud, "work", CALLS) as calls:
            row = wait_until_told(cli, slow.name, CALLS, depth_now=0, host="w1")
            assert (row["waiting"], row["queues"]) == (CALLS - 1, ["work", "work.w1"])
            slow.answer(5)
            row = wait_until_told(cli, slow.name, CALLS - 5)
            assert (row["waiting"], row["waiting_peak"]) == (CALLS - 5 - 1, CALLS - 1)
            slow.answer("all")
            assert [call.result() for call in calls] == [None] * CALLS
        row = wait_until_told(cli, slow.name, 0)
        assert (row["peak"], row["waiting"], row["depth_peak"]) == (CALLS, 0, 0)
        counts = [count for _, count in row["steps"]]
        top = counts.index(CALLS)
        assert counts[:top] == sorted(counts[:top])
        assert counts[top:] == sorted(counts[top:], reverse=True)
        assert CALLS - 5 in counts[top:]
        assert [method["method"] for method in row["methods"]] == ["work"]
        [shown] = cli.json("inflight", "--pool-size", "1")["in_flight"]
        assert (shown["process"], shown["peak"], shown["waiting_peak"]) == (slow.name, CALLS, CALLS - 1)
        assert slow.name in cli.ok("inflight", "--pool-size", "1")


def test_of_two_workers_of_different_speed_each_is_told_what_it_has(cloud: Cloud, tmp_path: Path) -> None:
    with (
        worker(cloud, "work", "w1", pool_size=1) as slow,
        worker(cloud, "work", "w2", pool_size=1) as fast,
        recording(cloud, tmp_path) as cli,
        calling(cloud, "work", CALLS) as calls,
    ):
        fast.answer("all")

        def is_split() -> bool:
            """The broker deals them out in turn, whoever is swamped: what the fast one got is answered."""
            left = CALLS - sum(call.done() for call in calls)
            return 0 < left < CALLS and told(cli, slow.name).get("now") == left and not told(cli, fast.name).get("now")

        wait_for(is_split, within_s=90)
        row = told(cli, slow.name)
        assert row["waiting"] == row["now"] - 1
        slow.answer("all")
        wait_until_told(cli, slow.name, 0)


def test_what_nobody_takes_lies_in_its_queue_and_goes_to_who_comes(cloud: Cloud, tmp_path: Path) -> None:
    def waiting_in_queue() -> list[int]:
        return [row["now"] for row in in_store(cli) if row["queue"] == "work"]

    with worker(cloud, "work", "w1", pool_size=1):
        pass  # its queue stays for the callers
    with recording(cloud, tmp_path) as cli, calling(cloud, "work", 3) as calls:
        wait_for(lambda: waiting_in_queue() == [3], within_s=90)
        with worker(cloud, "work", "w1", pool_size=1) as late:
            wait_until_told(cli, late.name, 3)
            assert waiting_in_queue() == [0]
            late.answer("all")
            assert [call.result() for call in calls] == [None] * 3


def test_a_tap_that_sees_no_deliveries_says_unknown(cloud: Cloud, tmp_path: Path) -> None:
    cli = new_cli(tmp_path)
    with (
        worker(cloud, "work", "w1", pool_size=1) as slow,
        cli.running("record", *broker_options(cloud), "--mode", "publish") as recorder,
    ):
        recorder.wait_for("rpcscope: recording")
        with calling(cloud, "work", 3) as calls:
            wait_for(lambda: cli.json("db", "status")["recordings"][0]["seen"] >= 3, within_s=90)
            found = cli.json("inflight")
            assert (found["known"], found["in_flight"]) == (False, [])
            assert cli.ok("inflight").startswith("Unknown: no recording of this time tells")
            assert "Calls in hand" not in cli.ok("stuck")
            slow.answer("all")
            assert [call.result() for call in calls] == [None] * 3
        assert recorder.end().code == 0
