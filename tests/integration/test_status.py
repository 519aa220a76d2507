"""A recorder that runs tells how it fares: to the database, and to Prometheus."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rpcscope.free_ports import free_port
from tests.support.cli import Cli, Running, new_cli
from tests.support.rabbitmq import Cloud
from tests.support.recording import broker_options
from tests.support.traffic import Traffic

pytestmark = pytest.mark.server
OPERATIONS = 40
EVENTS = 6 * OPERATIONS
"""In mode full: of each operation's three messages the publish and the delivery."""


def until_seen(cli: Cli, recorder: Running, events: int) -> dict[str, Any]:
    """The recorder's status once it reported a lag, a commit and so many events."""
    for _ in range(120):
        (told,) = cli.json("status")
        if told["seen"] >= events and told["lag_s"] is not None and told["events_per_s"]:
            return dict(told)
        assert recorder.process.poll() is None, recorder.said
        time.sleep(0.25)
    raise AssertionError(f"it never reported {events} events: {told}")


def scraped(port: int) -> dict[str, float]:
    """Metrics of one recorder by name; those with a cause have it in their name."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {".".join(filter(None, (s.name, s.labels.get("cause")))): s.value for s in samples}


def test_a_recorder_that_runs_says_what_it_does_and_ends_well(cloud: Cloud, tmp_path: Path) -> None:
    cli, port = new_cli(tmp_path), free_port()
    options = (*broker_options(cloud), "--mode", "full", "--metrics-port", str(port))
    with cli.running("record", *options) as recorder:
        recorder.wait_for("rpcscope: recording")
        Traffic(cloud).play(OPERATIONS)
        told = until_seen(cli, recorder, EVENTS)
        assert (told["state"], told["pid"], told["host"]) == ("recording", recorder.process.pid, socket.gethostname())
        assert (told["mode"], told["vhost"], told["nodes_traced"], told["nodes"]) == ("full", cloud.vhost, 1, 1)
        assert (told["gaps"], told["rejected"], told["evicted"]) == ([], 0, 0)
        assert told["rss_bytes"] > 10_000_000
        assert told["cpu_share"] > 0
        metrics = scraped(port)
        assert metrics["rpcscope_messages_total"] == 3 * OPERATIONS
        assert metrics["rpcscope_events_total"] >= told["seen"]
        assert metrics["rpcscope_gaps_total.disconnected"] == 0
        assert time.time() - metrics["rpcscope_last_commit_timestamp_seconds"] < 60
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10)
        assert ": recording" in cli.ok("status").splitlines()[0]
        done = recorder.end()
    assert done.code == 0, done
    (last,) = cli.json("status")
    assert (last["state"], last["messages"], last["copies"]) == ("ended", 3 * OPERATIONS, 3 * OPERATIONS)


def test_metrics_are_for_this_host_alone(cloud: Cloud, tmp_path: Path) -> None:
    cli, port = new_cli(tmp_path), free_port()
    with cli.running("record", *broker_options(cloud), "--metrics-port", str(port)) as recorder:
        recorder.wait_for("rpcscope: recording")
        listening = Path(f"/proc/{recorder.process.pid}/net/tcp").read_text().splitlines()[1:]
        addresses = {line.split()[1] for line in listening if line.split()[1].endswith(f":{port:04X}")}
        assert {address.split(":")[0] for address in addresses} == {"0100007F"}
        assert recorder.end().code == 0


def test_a_port_in_use_is_refused_before_anything_is_traced(cloud: Cloud, tmp_path: Path) -> None:
    cli = new_cli(tmp_path)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        sentence = cli.refused(2, "record", *broker_options(cloud), "--metrics-port", str(port))
    assert f"port {port}" in sentence
    assert not cloud.is_traced()
