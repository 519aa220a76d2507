"""A service under the wrapped driver whose recorder is slow, gone, or not there: it goes on, and losses are counted."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from rpcscope.model import Side
from rpcscope_collectors.listen_address import listen_address
from rpcscope_collectors.listener import Listener
from rpcscope_oslo_tap import driver, sender
from rpcscope_oslo_tap.buffer import Buffer
from rpcscope_oslo_tap.settings import Where
from rpcscope_oslo_tap.tap import Tap
from rpcscope_oslo_tap.told import Told
from tests.support import oslo_tap as inside

URL = "rpcscope+fake://"


@pytest.fixture
def address(tmp_path: Path) -> str:
    return inside.unix_address(tmp_path)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    """Taps that are made in this test keep so much."""
    monkeypatch.setattr(sender, "Buffer", lambda: Buffer(20))
    return 20


def call_often(times: int, **where: Any) -> None:
    """Calls that succeed, whatever becomes of what is told of them."""
    with inside.server(URL), inside.transport(URL) as asked:
        rpc = inside.client(asked, **where)
        for number in range(times):
            assert rpc.call(inside.context(number), "ping", arg=str(number)) == str(number)


def both(times: int) -> Any:
    return lambda told: len([one for one in told if one.taken_ns or one.ended_ns]) >= 2 * times


def test_a_driver_without_a_broker_is_told_of_on_both_sides(address: str) -> None:
    with inside.told_to(address), Listener([listen_address(address)]) as listener:
        call_often(5)
        told = inside.heard(listener, both(5))
    assert {one.unique_id for one in told if one.side is Side.CLIENT} == {
        one.unique_id for one in told if one.side is Side.SERVER
    }
    assert {(one.exchange, one.topic) for one in told} == {("nova", "conductor")}


def test_a_recorder_that_comes_later_is_told_what_happened_before(address: str) -> None:
    with inside.told_to(address):
        call_often(5)
        with Listener([listen_address(address)]) as listener:
            assert len(inside.heard(listener, both(5))) >= 10


def test_without_a_recorder_the_service_goes_on_and_what_does_not_fit_is_a_gap_once_one_comes(
    address: str, small: int
) -> None:
    with inside.told_to(address):
        call_often(30)
        with Listener([listen_address(address)]) as listener:
            heard, lost = inside.accounted(listener, 60)
    assert heard >= small
    assert lost > 0


@pytest.mark.parametrize("path", ["/dev/full", "/nowhere/tap.sock"])
def test_a_path_that_takes_nothing_harms_no_service(path: str, small: int) -> None:
    with inside.told_to(f"unix:{path}"):
        call_often(30)


def test_a_recorder_that_takes_nothing_slows_no_service_and_every_line_is_heard_or_counted(
    address: str, small: int
) -> None:
    with (
        inside.told_to(address),
        Listener([listen_address(address)], limit=1) as listener,
        inside.server(URL),
        inside.transport(URL) as asked,
    ):
        rpc = inside.client(asked)
        for number in range(3000):
            rpc.cast(inside.context(number), "note", arg="x" * 10)
        heard, lost = inside.accounted(listener, 6000)  # only now the recorder takes anything
    assert heard > 0
    assert lost > 0


def test_a_recorder_that_dies_and_comes_back_hears_on(address: str) -> None:
    with inside.told_to(address), inside.server(URL), inside.transport(URL) as asked:
        with Listener([listen_address(address)]) as listener:
            inside.client(asked).call(inside.context(1), "ping", arg="x")
            inside.heard(listener, both(1))
        for _ in range(3):
            inside.client(asked).call(inside.context(2), "ping", arg="x")
        with Listener([listen_address(address)]) as listener:
            inside.client(asked).call(inside.context(3), "ping", arg="x")
            told = inside.heard(listener, both(4))
    assert {one.request_id for one in told} == {inside.context(n)["request_id"] for n in (2, 3)}


def test_what_leaves_the_process_holds_nothing_of_arguments_results_and_context(address: str, tmp_path: Path) -> None:
    with inside.told_to(address), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(address.removeprefix("unix:"))
        door.settimeout(inside.GIVE_UP_S)
        with inside.server(URL), inside.transport(URL) as asked:
            inside.client(asked).call(inside.context(), "ping", arg="PS7q-argument")
            with pytest.raises(KeyError):
                inside.client(asked).call(inside.context(), "fail")
        sent = b""
        while sent.count(b'"ended_ns"') + sent.count(b'"taken_ns"') < 4:
            sent += door.recv(65_536)
    assert b"ping" in sent
    assert b"PS7q" not in sent


def test_a_private_part_that_moved_leaves_the_plain_driver_and_one_line_in_the_log(
    address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from oslo_messaging._drivers import amqpdriver, impl_fake, impl_rabbit

    for owner, name, url in (
        (impl_rabbit.Connection, "_publish", "rpcscope+rabbit://u:PS7q@127.0.0.1:1/v"),
        (amqpdriver.AMQPIncomingMessage, "reply", "rpcscope+kombu://u:PS7q@127.0.0.1:1/v"),
        (impl_fake.FakeDriver, "listen", URL),
    ):
        caplog.clear()
        with monkeypatch.context() as patch, inside.told_to(address), caplog.at_level(logging.WARNING):
            patch.setattr(owner, name, lambda self: None)
            with inside.transport(url) as made:
                assert type(made._driver).__module__.startswith("oslo_messaging.")
        assert len(caplog.messages) == 1
        assert name in caplog.messages[0]
        assert "PS7q" not in caplog.text


def test_without_an_address_the_driver_is_the_plain_one(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), inside.transport(URL) as made:
        assert type(made._driver).__module__ == "oslo_messaging._drivers.impl_fake"
    assert "RPCSCOPE_TAP" in caplog.text


def test_an_option_in_the_transport_url_is_taken_out_before_the_real_driver_reads_it(tmp_path: Path) -> None:
    url = f"rpcscope+rabbit://u:p@127.0.0.1:1/v?rpcscope_tap=unix:{tmp_path}/tap.sock&rpc_conn_pool_size=3"
    with inside.transport(url) as made:
        assert str(made._driver._url) == "rabbit://u:p@127.0.0.1:1/v?rpc_conn_pool_size=3"


def test_transports_of_a_process_share_one_tap(address: str) -> None:
    with inside.told_to(address), inside.transport(URL), inside.transport(URL):
        assert len([where for where in driver._taps if str(where) == address]) == 1


def test_no_thread_starts_and_nothing_is_opened_before_there_is_something_to_tell(address: str) -> None:
    with inside.told_to(address), inside.transport(URL):
        before = {thread for thread in threading.enumerate() if thread.name == "rpcscope-tap"}
        with inside.transport(URL) as asked:
            assert {thread for thread in threading.enumerate() if thread.name == "rpcscope-tap"} == before
            inside.client(asked).cast(inside.context(), "note", arg="x")
            assert len({thread for thread in threading.enumerate() if thread.name == "rpcscope-tap"}) == len(before) + 1


_FORK = """
import os, sys, warnings
warnings.simplefilter("ignore")
import oslo_messaging
from tests.support import oslo_tap as inside
assert "eventlet" not in sys.modules or not sys.modules["eventlet"].patcher.already_patched
with inside.transport("rpcscope+fake://") as asked:
    for number in range(3):
        inside.client(asked).cast(inside.context(number), "note", arg="x")
    child = os.fork()
    for number in range(2):
        inside.client(asked).cast(inside.context(10 + number), "note", arg="x")
if child:
    os.waitpid(child, 0)
"""


def test_a_process_that_was_forked_tells_what_it_does_itself_and_nothing_of_its_parent_s(address: str) -> None:
    with Listener([listen_address(address)]) as listener:
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _FORK], check=True, env=os.environ | {"RPCSCOPE_TAP": address}
        )
        told = inside.heard(listener, lambda told: len(told) >= 7)
        tellers = listener.tellers()
    assert sorted(sum(teller.sent.values()) for teller in tellers) == [2, 5]
    assert len({one.unique_id for one in told}) == len(told) == 7


def test_importing_the_tap_starts_nothing_and_loads_neither_eventlet_nor_futurist() -> None:
    look = (
        "import sys, threading; import rpcscope_oslo_tap.driver; print(threading.active_count(), "
        "[name for name in ('eventlet', 'futurist', 'opentelemetry', 'oslo_messaging') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "1 []\n"


def test_a_hook_that_fails_harms_no_call(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from rpcscope_oslo_tap import reading, tap

    def broken(*_: object) -> Any:
        raise RuntimeError

    monkeypatch.setattr(reading, "described", broken)
    monkeypatch.setattr(tap, "outcome_of", broken)
    with inside.told_to(address):
        call_often(3)


def test_what_can_not_be_written_as_json_is_counted_as_lost_and_the_rest_is_told(address: str) -> None:
    with inside.told_to(address), Listener([listen_address(address)]) as listener:
        tap = Tap(Where(address.removeprefix("unix:")), "host-1")
        for version in (object(), "1.0", "x" * 1_000_000):
            told = Told("CLIENT", "CAST")
            told.unique_id, told.version = "a" * 32, version  # type: ignore[assignment]
            tap.sent(told)
        assert inside.accounted(listener, 3) == (2, 1)
