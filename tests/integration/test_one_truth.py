"""One boot of real services, seen by the firehose, from inside, by spans and by notifications: one operation, once."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from rpcscope.model import Side
from rpcscope.private_broker import PrivateBroker
from rpcscope.store import open_store
from tests.support.cells import MESSAGES, RPCS, TREE, cells
from tests.support.cli import Cli, new_cli
from tests.support.oslo_tap import told_to, unix_address
from tests.support.rabbitmq import new_cloud
from tests.support.recording import broker_options

pytestmark = pytest.mark.server

GIVE_UP_S = 90.0
Shown = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """What the program shows of the boot."""

    cli: Cli
    request_id: str
    operations: list[Shown]
    calls: list[Shown]


@pytest.fixture(scope="module")
def seen(rabbitmq: PrivateBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """One recorder with four taps."""
    folder = tmp_path_factory.mktemp("truth")
    cloud, cli = new_cloud(rabbitmq, folder), new_cli(folder)
    address = unix_address(folder)
    url = cloud.server.transport_url(cloud.vhost)
    with closing(cloud.connect()) as connection:  # as an earlier start of the services left it
        connection.channel().exchange_declare("nova", "topic")
    taps = ("--mode", "full", "--listen", address, "--otlp-listen", "127.0.0.1:0", "--notifications",
            "--notification-exchange", "nova")  # fmt: skip
    with cli.running("record", *broker_options(cloud), *taps) as recorder:
        recorder.wait_for("rpcscope: recording")
        (port,) = re.findall(r"at port (\d+)", recorder.said)
        more = {"driver": "rpcscope+", "spans": f"http://127.0.0.1:{port}", "notifies": url}
        with told_to(address), cells(cloud, cloud, folder, **more) as services:
            (request_id,) = services.boot()
            _until_told(cli, "driver")
        _until_told(cli, "otlp")  # their exporters send the last when they end
        assert recorder.end().code == 0
    operations = [one for one in cli.json("operations", "--all") if one["request_id"] == request_id]
    calls = [one for one in cli.json("calls", "--all") if one["request_id"] == request_id]
    yield Seen(cli, request_id, operations, calls)
    rabbitmq.remove_vhost(cloud.vhost)


def _until_told(cli: Cli, source: str) -> None:
    """Both sides of each RPC have told."""
    deadline = time.monotonic() + GIVE_UP_S
    while (found := _told(cli, source)) < 2 * RPCS:
        assert time.monotonic() < deadline, (source, found)
        time.sleep(0.2)


def _told(cli: Cli, source: str) -> int:
    with open_store(cli.database) as store:
        accounts = store.reader().newest_accounts(1_000).values()
        ends = {Side.CLIENT: "confirmed_ns", Side.SERVER: "started_ns"}
        return sum(
            one.source == source and (source == "otlp" or getattr(one, ends[one.side]) is not None)
            for several in accounts
            for one in several
        )


def tree(calls: list[Shown], parent: str | None = None) -> Any:
    return {one["method"]: tree(calls, one["unique_id"]) for one in calls if one["parent_unique_id"] == parent}


def test_it_is_one_operation_with_each_message_once(seen: Seen) -> None:
    (one,) = seen.operations
    assert (one["kind"], one["status"], one["rpcs"], one["notifications"]) == ("create", "done", RPCS, 1)
    assert one["messages"] == MESSAGES + 1


def test_each_rpc_is_there_once_below_what_caused_it(seen: Seen) -> None:
    assert len(seen.calls) == RPCS
    assert tree(seen.calls) == TREE


def test_each_rpc_has_the_times_of_the_bus_and_those_of_its_processes(seen: Seen) -> None:
    for one in seen.calls:
        assert one["clock"] == "tap"
        assert one["told"]["pool_wait_ms"] is not None
        assert one["told"]["execution_ms"] is not None
    with open_store(seen.cli.database) as store:
        several = store.reader().newest_accounts(1_000).values()
    sources = [sorted((account.side.name, account.source) for account in accounts) for accounts in several]
    assert sources.count([(side.name, source) for side in Side for source in ("driver", "otlp")]) == RPCS


def test_its_witnesses_do_not_contradict_each_other(seen: Seen) -> None:
    flags = seen.cli.json("doctor", "--all")["flags"]
    assert [flag["evidence"] for flag in flags if flag["name"] == "taps-disagree"] == []


def test_show_draws_it(seen: Seen) -> None:
    shown = seen.cli.ok("show", seen.request_id)
    assert "pool " in shown
    assert shown.count("select_destinations") == 1
