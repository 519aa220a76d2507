"""The tap and the management API over TLS, with an authority made for the test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rpcscope.errors import BrokerError
from rpcscope.free_ports import free_port
from rpcscope.private_broker import PrivateBroker
from rpcscope_collectors.management import Management
from rpcscope_collectors.tap import Tap
from rpcscope_collectors.transport import from_transport_url
from tests.support.tapping import sightings_until

pytestmark = pytest.mark.server


@dataclass(frozen=True)
class Secured:
    server: PrivateBroker
    amqp_port: int
    https_port: int
    ca_file: Path

    def url(self, query: str) -> str:
        return f"rabbit://{self.server.user}:{self.server.password}@127.0.0.1:{self.amqp_port}/?{query}"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("tls")
    authority(folder)
    amqp_port, https_port = free_port(), free_port()
    files = {"cacertfile": folder / "ca.pem", "certfile": folder / "server.pem", "keyfile": folder / "server.key"}
    settings = {
        "listeners.ssl.default": f"127.0.0.1:{amqp_port}",
        "management.ssl.ip": "127.0.0.1",
        "management.ssl.port": str(https_port),
        **{f"ssl_options.{name}": str(path) for name, path in files.items()},
        **{f"management.ssl.{name}": str(path) for name, path in files.items()},
    }
    with PrivateBroker(settings=settings) as server:
        yield Secured(server, amqp_port, https_port, files["cacertfile"])


def authority(folder: Path) -> None:
    """An authority, and a certificate of the server signed by it."""
    (folder / "names").write_text(
        "subjectAltName=IP:127.0.0.1,DNS:localhost\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    )
    new = ["-newkey", "rsa:2048", "-nodes"]
    openssl(folder, "req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority")
    openssl(folder, "req", *new, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"]
    openssl(folder, "x509", "-req", "-in", "server.csr", "-out", "server.pem", *signed)


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize("verified", [True, False])
def test_the_tap_speaks_tls_with_and_without_an_authority(secured: Secured, verified: bool) -> None:
    query = f"ssl=1&ssl_ca_file={secured.ca_file}" if verified else "ssl=1"
    with Tap(from_transport_url(secured.url(query))) as tap:
        assert sightings_until(tap, bool)


def test_a_certificate_of_another_authority_gets_a_sentence(secured: Secured, tmp_path: Path) -> None:
    authority(tmp_path)
    broker = from_transport_url(secured.url(f"ssl=1&ssl_ca_file={tmp_path / 'ca.pem'}"))
    with pytest.raises(BrokerError, match="TLS: CERTIFICATE_VERIFY_FAILED"):
        Tap(broker).open()


def test_tls_to_a_port_without_gets_a_sentence(secured: Secured) -> None:
    url = secured.url("ssl=1").replace(str(secured.amqp_port), str(secured.server.port))
    with pytest.raises(BrokerError, match="check host, port and TLS"):
        Tap(from_transport_url(url)).open()


def test_no_tls_to_a_port_with_gets_a_sentence(secured: Secured) -> None:
    with pytest.raises(BrokerError, match="check host, port and TLS"):
        Tap(from_transport_url(secured.url(""))).open()


def test_the_management_api_is_verified_by_the_given_authority(secured: Secured) -> None:
    url, account = f"https://127.0.0.1:{secured.https_port}", (secured.server.user, secured.server.password)
    assert Management(url, *account, ca_file=str(secured.ca_file)).nodes() == (secured.server.node,)
    with pytest.raises(BrokerError, match="TLS: CERTIFICATE_VERIFY_FAILED"):
        Management(url, *account).nodes()
