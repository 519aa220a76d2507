"""A real Prometheus scrapes a recorder and a dashboard that run, and gives the numbers back that went over the bus."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from rpcscope.export import grafana
from rpcscope.free_ports import free_port
from rpcscope.private_broker import PrivateBroker
from tests.support.cli import Cli, new_cli
from tests.support.dashboard import dashboard
from tests.support.measured import promtool, samples
from tests.support.otlp_metrics import Received, http_receiver, points
from tests.support.prometheus import Prometheus, prometheus
from tests.support.rabbitmq import new_cloud
from tests.support.recording import broker_options
from tests.support.traffic import Traffic

pytestmark = pytest.mark.server
OPERATIONS = 30
JOBS = ("record", "serve")


@dataclass(frozen=True)
class Scraped:
    """What runs, once the traffic was counted by both and scraped."""

    prometheus: Prometheus
    cli: Cli
    texts: dict[str, str]  # what /metrics said then, by job
    received: Received  # what came over OTLP


@pytest.fixture(scope="module")
def scraped(rabbitmq: PrivateBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    folder = tmp_path_factory.mktemp("scraped")
    cloud, cli, port = new_cloud(rabbitmq, folder), new_cli(folder), free_port()
    with http_receiver() as received:
        pushed = ("--otlp-metrics-endpoint", received.url, "--otlp-metrics-every", "1")
        options = (*broker_options(cloud), "--mode", "full", "--metrics-port", str(port), *pushed)
        with cli.running("record", *options) as recorder:
            recorder.wait_for("rpcscope: recording")
            with dashboard(folder, cli.database) as site:
                where = {"record": f"127.0.0.1:{port}", "serve": urlsplit(site).netloc}
                targets = {job: {"static_configs": [{"targets": [address]}]} for job, address in where.items()}
                with prometheus(folder, targets, grafana.text("rpcscope-alerts.yaml")) as server:
                    server.wait("count(rpcscope_recorder_up == 1)", 2)
                    Traffic(cloud).play(OPERATIONS)
                    for job in JOBS:
                        server.wait(f'sum(rpcscope_rpcs_total{{job="{job}"}})', 2 * OPERATIONS)
                    texts = {job: _text(address) for job, address in where.items()}
                    yield Scraped(server, cli, texts, received)
            assert recorder.end().code == 0
    rabbitmq.remove_vhost(cloud.vhost)


def _text(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize("job", JOBS)
def test_prometheus_tells_the_rpcs_that_went_over_the_bus(scraped: Scraped, job: str) -> None:
    asked = scraped.prometheus.values(f'sum by (kind, method) (rpcscope_rpcs_total{{job="{job}"}})', "kind", "method")
    assert asked == {("call", "select_destinations"): OPERATIONS, ("cast", "build_and_run_instance"): OPERATIONS}
    counted = {key: sum(call["publishes"] for call in scraped.cli.json("calls", "--all")
                        if (call["kind"], call["method"]) == key) for key in asked}  # fmt: skip
    assert asked == counted


@pytest.mark.parametrize("job", JOBS)
def test_prometheus_tells_how_calls_ended_and_how_long_everybody_waited(scraped: Scraped, job: str) -> None:
    ask = scraped.prometheus.values
    ended = ask(f'sum by (outcome) (rpcscope_rpc_outcomes_total{{job="{job}"}}) > 0', "outcome")
    assert ended == {("ok",): OPERATIONS}
    assert ask(f'sum(rpcscope_rpc_client_duration_seconds_count{{job="{job}"}})') == {(): OPERATIONS}
    waits = ask(f'sum by (topic) (rpcscope_broker_wait_seconds_count{{job="{job}"}})', "topic")
    assert waits == {("conductor",): OPERATIONS, ("compute",): OPERATIONS}
    stored = sum(call["total_ms"] for call in scraped.cli.json("calls", "--all") if call["kind"] == "call")
    (told,) = ask(f'sum(rpcscope_rpc_client_duration_seconds_sum{{job="{job}"}})').values()
    assert told == pytest.approx(stored / 1_000, abs=1e-3)


def test_both_tell_of_the_recorder(scraped: Scraped) -> None:
    ask = scraped.prometheus.values
    for name in ("rpcscope_nodes_traced", "rpcscope_nodes", "rpcscope_recorder_up"):
        assert ask(f"max by (job) ({name})", "job") == {("record",): 1, ("serve",): 1}
    assert set(ask("rpcscope_last_commit_timestamp_seconds > 0", "job")) == {("record",), ("serve",)}


@pytest.mark.parametrize("job", JOBS)
def test_promtool_has_nothing_to_say_of_what_runs(scraped: Scraped, job: str) -> None:
    assert promtool("check", "metrics", text=scraped.texts[job]) == ""
    assert "PS7q" not in scraped.texts[job]


def test_every_query_of_the_dashboards_is_one_that_prometheus_understands(scraped: Scraped) -> None:
    told = {}
    for name in grafana.NAMES:
        if name.endswith(".json"):
            for panel in json.loads(grafana.text(name))["panels"]:
                for target in panel.get("targets", []):
                    asked = target["expr"].replace("$job", "record").replace("$vhost", ".*")
                    found = scraped.prometheus.ask("query", query=asked.replace("$__rate_interval", "5m"))
                    told[panel["title"]] = len(found["result"])
    assert len(told) > 30
    for title in ("RPCs by method", "How calls end", "What callers wait", "Wait in the broker", "Lag", "Events"):
        assert told[title] > 0, title


def test_every_alert_rule_is_evaluated_and_none_fires_on_a_cloud_that_is_well(scraped: Scraped) -> None:
    rules = [rule for group in scraped.prometheus.ask("rules")["groups"] for rule in group["rules"]]
    assert len(rules) > 10
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}
    assert [rule["name"] for rule in rules if rule["state"] == "firing"] == []


def test_what_was_pushed_over_otlp_is_what_was_scraped(scraped: Scraped) -> None:
    scraped.received.wait(lambda: sum(points(scraped.received.metrics()["rpcscope.rpcs"]).values()) == 2 * OPERATIONS)
    pushed = points(scraped.received.metrics()["rpcscope.rpcs"])
    text = samples(scraped.texts["record"])
    assert pushed == {key: value for (name, key), value in text.items() if name == "rpcscope_rpcs_total"}
