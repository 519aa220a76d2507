"""A RabbitMQ that tells of its queues: management, metrics and events, each on a port of its own."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rpcscope.private_broker import PrivateBroker
from rpcscope_collectors.prometheus import Prometheus
from rpcscope_collectors.queue_api import QueueApi
from tests.support.rabbitmq import Cloud, new_cloud

PLUGINS = ("rabbitmq_management", "rabbitmq_prometheus", "rabbitmq_event_exchange")


@dataclass(frozen=True)
class Watched(Cloud):
    """A vhost of a broker with every plugin that the queue taps use."""

    metrics_url: str = ""

    @property
    def api(self) -> QueueApi:
        return QueueApi(self.server.management_url, self.server.user, self.server.password)

    @property
    def metrics(self) -> Prometheus:
        return Prometheus(self.metrics_url)


def watched_broker(**settings: str) -> tuple[PrivateBroker, str]:
    """A broker that is not started yet, and where its metrics will be."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"prometheus.tcp.ip": "127.0.0.1", "prometheus.tcp.port": str(port), "collect_statistics_interval": "1000"}
    return PrivateBroker(plugins=PLUGINS, settings=own | settings), f"http://127.0.0.1:{port}"


def wait_for(promise: Callable[[], bool], *, within_s: float = 30.0) -> None:
    """Return once it holds; the time is only there for a failing test to end."""
    deadline = time.monotonic() + within_s
    while not promise():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def watched_server() -> Iterator[tuple[PrivateBroker, str]]:
    server, url = watched_broker()
    with server:
        yield server, url


@pytest.fixture
def watched(watched_server: tuple[PrivateBroker, str], tmp_path: Path) -> Watched:
    server, url = watched_server
    cloud = new_cloud(server, tmp_path)
    return Watched(server, cloud.vhost, cloud.state_dir, url)
