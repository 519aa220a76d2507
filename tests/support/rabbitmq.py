"""A RabbitMQ for the tests, started once a session, with a vhost for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pika
import pytest

from rpcscope.private_broker import PrivateBroker
from rpcscope_collectors.management import Management
from rpcscope_collectors.tracing import Tracing
from rpcscope_collectors.transport import Broker

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Cloud:
    """One vhost of a running broker, with what a tap needs to record it."""

    server: PrivateBroker
    vhost: str
    state_dir: Path

    @property
    def broker(self) -> Broker:
        return Broker(
            hosts=(("127.0.0.1", self.server.port),),
            username=self.server.user,
            password=self.server.password,
            vhost=self.vhost,
        )

    @property
    def management(self) -> Management:
        return Management(self.server.management_url, self.server.user, self.server.password)

    def tracing(self) -> Tracing:
        return Tracing([self.management], self.vhost, self.state_dir)

    def is_traced(self) -> bool:
        return self.management.tracing(self.vhost)

    def connect(self, name: str = "nova-compute:1:test") -> Any:
        """A service's connection, for the test to publish and consume."""
        credentials = pika.PlainCredentials(self.server.user, self.server.password)
        return pika.BlockingConnection(
            pika.ConnectionParameters(
                "127.0.0.1", self.server.port, self.vhost, credentials, client_properties={"connection_name": name}
            )
        )


def new_cloud(server: PrivateBroker, folder: Path) -> Cloud:
    vhost = f"cell-{next(_numbers)}"
    server.add_vhost(vhost)
    return Cloud(server, vhost, folder / "state")


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[PrivateBroker]:
    with PrivateBroker(settings={"collect_statistics_interval": "1000"}) as server:
        yield server


@pytest.fixture
def cloud(rabbitmq: PrivateBroker, tmp_path: Path) -> Iterator[Cloud]:
    made = new_cloud(rabbitmq, tmp_path)
    yield made
    rabbitmq.remove_vhost(made.vhost)  # a broker with a hundred vhosts takes long to make the next


@pytest.fixture(scope="module")
def fragile() -> Iterator[PrivateBroker]:
    """A broker of this module's own, to be broken."""
    with PrivateBroker(settings={"collect_statistics_interval": "1000"}) as server:
        yield server


@pytest.fixture
def breakable(fragile: PrivateBroker, tmp_path: Path) -> Cloud:
    return new_cloud(fragile, tmp_path)
