"""The broker that an emulation runs on: a private one that it starts, or one that was named."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import click

from rpcscope.cli.cleaning import own
from rpcscope.cli.ending import undisturbed
from rpcscope.errors import BrokerError, UsageError

if TYPE_CHECKING:
    from rpcscope.emulator import Management, OwnVhost

PLUGINS = ("rabbitmq_management", "rabbitmq_prometheus", "rabbitmq_event_exchange")
_MEMORY = 0.5
"""Of the machine's, at which a private broker holds publishers back."""
_SHORTEST_MS, _LONGEST_MS = 1_000, 30_000
"""Between two times that a private broker notes how deep its queues are."""
_NONE_HERE = (
    "RabbitMQ is not installed here: install your distribution's package rabbitmq-server, or name a broker by "
    "--transport-url and --management-url (the emulation makes a vhost of its own there)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where a broker is, and with whose account."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    management_url: str = field(repr=False)  # with an account, if one was given
    prometheus_url: str = ""  # "" when nobody knows
    state: Path | None = None  # where its recorder notes what it switched on; None: where recorders do

    @property
    def management(self) -> Management:
        """Its management API."""
        from rpcscope.emulator import Management

        return Management(self.management_url, self.username, self.password)

    def own(self, flow: str) -> OwnVhost:
        """A vhost to be made."""
        from rpcscope.emulator import OwnVhost

        return OwnVhost(
            self.management, flow, host=self.host, port=self.port, username=self.username, password=self.password
        )

    def transport_url(self, vhost: str) -> str:
        """Of a vhost, with the password: for the environment of a recorder alone."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        account = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}"
        return f"rabbit://{account}@{host}:{self.port}/{quote(vhost, safe='')}"

    def account_url(self) -> str:
        """The management API with an account, for the same."""
        parts = urlsplit(self.management_url)
        if parts.username:
            return self.management_url
        account = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}"
        return parts._replace(netloc=f"{account}@{parts.netloc}").geturl()


def ground_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--transport-url and --management-url: neither of them starts a private broker."""
    options = (
        click.option("--transport-url", envvar="RPCSCOPE_TRANSPORT_URL", metavar="URL",
                     help="A broker of yours; its vhost is not looked at. Default: a private one, for this run."),
        click.option("--management-url", envvar="RPCSCOPE_MANAGEMENT_URL", metavar="URL",
                     help="Of the same broker, with user:password@ of an administrator: makes and removes the vhost."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@contextmanager
def ground(transport_url: str | None, management_url: str | None, connections: int) -> Iterator[Ground]:
    """The broker. A private one is started for so many connections, and gone at the end.

    Raises:
        UsageError: one URL without the other, or one that can not be used.
        BrokerError: there is no RabbitMQ to start.
    """
    if bool(transport_url) != bool(management_url):
        raise UsageError("--transport-url and --management-url belong together: name both, or neither")
    if transport_url and management_url:
        yield named(transport_url, management_url)
        return
    from rpcscope.free_ports import free_ports
    from rpcscope.private_broker import PrivateBroker

    if not PrivateBroker.available():
        raise BrokerError(_NONE_HERE)
    (port,) = free_ports(1)
    settings = {
        "prometheus.tcp.ip": "127.0.0.1", "prometheus.tcp.port": str(port),
        # What each connection and queue tells of itself would be most of the work for thousands of them.
        "management.rates_mode": "none",
        "collect_statistics_interval": str(min(_LONGEST_MS, max(_SHORTEST_MS, 2 * connections))),
        "vm_memory_high_watermark.absolute": str(int(_MEMORY * _machine_memory())),
    }  # fmt: skip
    broker = PrivateBroker(plugins=PLUGINS, settings=settings)
    try:
        broker.start()
        own(broker.folder)
        yield Ground(
            host="127.0.0.1", port=broker.port, username=broker.user, password=broker.password,
            management_url=broker.management_url, prometheus_url=f"http://127.0.0.1:{port}",
            state=broker.folder / "state",
        )  # fmt: skip
    finally:
        with undisturbed():
            broker.close()


def named(transport_url: str, management_url: str) -> Ground:
    """A broker of the user's. Raises UsageError."""
    from rpcscope_collectors.transport import from_transport_url

    broker = from_transport_url(transport_url)
    if broker.tls is not None:
        raise UsageError("the emulator speaks AMQP without TLS: name a listener of the broker without it")
    host, port = broker.hosts[0]
    return Ground(
        host=host, port=port, username=broker.username, password=broker.password, management_url=management_url
    )


def _machine_memory() -> int:
    """In bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
