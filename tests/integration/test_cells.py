"""A boot over an API's broker and a cell's, by real services: recorded, it is one operation with one tree."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rpcscope.export.metrics.catalogue import METRICS
from rpcscope.private_broker import PrivateBroker
from rpcscope.query.ids import recording_of
from rpcscope.store import open_store
from tests.support.cells import MESSAGES, RPCS, TREE, Cells, cells
from tests.support.cli import GIVE_UP_S, Cli, new_cli
from tests.support.mariadb import mariadb_server
from tests.support.postgres import free_port, postgres_server
from tests.support.rabbitmq import Cloud, new_cloud

pytestmark = pytest.mark.server
BOOTS = 3


@pytest.fixture(scope="module")
def cloud_with_a_cell(rabbitmq: PrivateBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cells]:
    folder = tmp_path_factory.mktemp("cells")
    with PrivateBroker(settings={"collect_statistics_interval": "1000"}) as second:
        api, cell = new_cloud(rabbitmq, folder), new_cloud(second, folder)
        with cells(api, cell, folder) as running:
            running.boot()  # all connections are there from now on
            yield running
        rabbitmq.remove_vhost(api.vhost)


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an empty database of the kind that the test names."""
    if request.param == "sqlite":
        yield str(tmp_path_factory.mktemp("db") / "store.sqlite")
        return
    with {"postgresql": postgres_server, "mariadb": mariadb_server}[request.param]() as server:
        url = server.fresh()
        yield url
        server.drop(url)


def options(*clouds: Cloud) -> list[str]:
    """Both brokers are on one host, so their management APIs are told apart by the vhost."""
    found = ["--state-dir", str(clouds[0].state_dir)]
    for cloud in clouds:
        found += ["--transport-url", cloud.server.transport_url(cloud.vhost)]
        found += ["--management-url", f"{cloud.vhost}={cloud.server.management_url}"]
    return found


def shape(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    return {node["method"]: shape(node["children"]) for node in nodes}


def wait_for_names(database: str, process: str) -> None:
    """Until snapshots have named every connection, and on both brokers a process that is on both: it joins them."""
    deadline = time.monotonic() + GIVE_UP_S
    with open_store(database) as store:
        while True:
            rows = store.reader().processes().values()
            named = all(one.program for one in rows)
            if named and len({recording_of(one.id) for one in rows if f"{one.program}:{one.pid}" == process}) == 2:
                return
            assert time.monotonic() < deadline, f"{process} was not named on both brokers: {list(rows)}"
            time.sleep(0.2)


def expect_boots(cli: Cli, request_ids: list[str]) -> None:
    """Each is one operation, done, with the messages and the tree of a boot."""
    listed = {one["request_id"]: one for one in cli.json("operations", "--all")}
    assert set(listed) == set(request_ids)
    for request_id in request_ids:
        one = listed[request_id]
        assert (one["kind"], one["status"], one["rpcs"], one["messages"]) == ("create", "done", RPCS, MESSAGES)
        shown = cli.json("show", request_id)
        assert shape(shown["calls"]) == TREE
        assert (shown["others"], shown["operation"]["gaps"]) == ([], [])
    (cost,) = cli.json("cost", "--kind", "create")["kinds"]
    assert (cost["operations"], cost["left_out"], cost["operations_with_gaps"]) == (len(request_ids), 0, 0)
    assert (cost["rpcs"]["p50"], cost["rpcs"]["max"], cost["messages"]["max"]) == (RPCS, RPCS, MESSAGES)


def long(*values: str) -> Any:
    return pytest.param(*values, marks=pytest.mark.long)


@pytest.mark.parametrize(
    ("database", "recorders"),
    [
        ("sqlite", "one"), long("sqlite", "two"),
        long("postgresql", "one"), ("postgresql", "two"),
        ("mariadb", "one"), long("mariadb", "two"),
    ],
    indirect=["database"],
)  # fmt: skip
def test_boots_over_two_brokers_are_one_operation_each(
    cloud_with_a_cell: Cells, database: str, recorders: str, tmp_path: Path
) -> None:
    cli = new_cli(tmp_path, database)
    api, cell = cloud_with_a_cell.api, cloud_with_a_cell.cell
    given = [(api, cell)] if recorders == "one" else [(api,), (cell,)]
    with ExitStack() as stack:
        running = []
        for clouds in given:
            running.append(stack.enter_context(cli.running("record", *options(*clouds))))
            running[-1].wait_for(f"vhost {clouds[-1].vhost}, mode control")
        request_ids = cloud_with_a_cell.boot(BOOTS)
        wait_for_names(database, cloud_with_a_cell.conductor)
        for recorder in running:
            done = recorder.end()
            assert done.code == 0, done
    expect_boots(cli, request_ids)


def test_metrics_of_several_brokers_name_their_broker_and_no_password(cloud_with_a_cell: Cells, tmp_path: Path) -> None:
    cli, port = new_cli(tmp_path), free_port()
    clouds = (cloud_with_a_cell.api, cloud_with_a_cell.cell)
    with cli.running("record", *options(*clouds), "--metrics-port", str(port)) as recorder:
        recorder.wait_for(f"vhost {clouds[1].vhost}, mode control")
        cloud_with_a_cell.boot()
        text = metrics_once_seen(port, 2)
        assert recorder.end().code == 0
    for cloud in clouds:
        assert cloud.server.password not in text
    of_recorders = {metric.name.removesuffix("_total") for metric in METRICS if "scope" in metric.labels}
    told = {family.name: family.samples for family in text_string_to_metric_families(text)}
    for name in of_recorders & set(told):
        scopes = {sample.labels["scope"] for sample in told[name]}
        for cloud in clouds:
            assert [scope for scope in scopes if f":{cloud.server.port} vhost {cloud.vhost}" in scope], name
        assert len(scopes) == 2
    assert {sample.labels["vhost"] for sample in told["rpcscope_rpcs"]} == {cloud.vhost for cloud in clouds}


def metrics_once_seen(port: int, brokers: int) -> str:
    """What is served once each broker has shown messages."""
    for _ in range(240):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = str(answer.read().decode())
        samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
        counted = {s.labels["vhost"] for s in samples if s.name == "rpcscope_rpcs_total"}
        if sum(s.name == "rpcscope_messages_total" and s.value > 0 for s in samples) == brokers == len(counted):
            return text
        time.sleep(0.25)
    raise AssertionError(f"not every broker showed messages: {text}")
