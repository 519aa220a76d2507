"""A private broker shares nothing with its machine and leaves nothing behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pika
import pytest

from rpcscope.errors import BrokerError
from rpcscope.private_broker import PrivateBroker
from rpcscope_collectors.management import Management

pytestmark = pytest.mark.server


def processes_in(folder: Path) -> list[int]:
    """Processes that have the folder in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def wait_for(promise: Callable[[], bool], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not promise():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def fail_within(broker: PrivateBroker, seen: list[Path]) -> None:
    with broker:
        seen.append(broker.folder)
        assert processes_in(broker.folder)
        raise ZeroDivisionError


def test_after_an_exception_neither_process_nor_folder_is_left(tmp_path: Path) -> None:
    seen: list[Path] = []
    with pytest.raises(ZeroDivisionError):
        fail_within(PrivateBroker(tmp_path), seen)
    (folder,) = seen
    assert folder.parent == tmp_path
    assert not folder.exists()
    wait_for(lambda: processes_in(folder) == [])  # what was killed needs a moment to vanish


def test_data_outlives_restart_and_kill() -> None:
    with PrivateBroker() as broker:
        broker.add_vhost("nova cell/1")
        management = Management(broker.management_url, broker.user, broker.password)
        broker.restart()
        assert management.queues("nova cell/1") == ()
        broker.kill()
        with pytest.raises(BrokerError, match="can not be reached"):
            management.overview()
        broker.start()
        assert management.queues("nova cell/1") == ()


def test_it_listens_on_the_loopback_address_only(rabbitmq: PrivateBroker) -> None:
    ours = {rabbitmq.port, rabbitmq.management_port}
    listening = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        address, state = line.split()[1], line.split()[3]
        if state == "0A" and int(address.partition(":")[2], 16) in ours:
            listening.add(address)
    assert {address.partition(":")[0] for address in listening} == {"0100007F"}
    assert len(listening) == 2


def test_an_added_user_has_the_rights_it_was_granted_and_no_more(rabbitmq: PrivateBroker) -> None:
    rabbitmq.add_user("reader", "PS7q")
    rabbitmq.grant("reader", configure="", write="")
    parameters = pika.ConnectionParameters("127.0.0.1", rabbitmq.port, "/", pika.PlainCredentials("reader", "PS7q"))
    connection = pika.BlockingConnection(parameters)
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        connection.channel().queue_declare("mine")
    connection.close()


def test_a_machine_without_rabbitmq_gets_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("rpcscope.private_broker._FOLDERS", ())
    assert not PrivateBroker.available()
    with pytest.raises(BrokerError, match="install your distribution's package rabbitmq-server"):
        PrivateBroker().start()


def test_a_server_that_does_not_come_up_gets_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="did not come up"), PrivateBroker(tmp_path, settings={"nonsense": "1"}):
        pass
    assert list(tmp_path.iterdir()) == []


def test_variables_of_a_foreign_broker_do_not_reach_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RABBITMQ_NODENAME", "foreign@localhost")
    monkeypatch.setenv("RABBITMQ_NODE_PORT", "1")
    with PrivateBroker(tmp_path) as broker:
        assert broker.ctl("eval", "node().").strip().strip("'") == broker.node
