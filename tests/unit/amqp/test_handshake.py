"""What both sides agree on, and who is not let in."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from pamqp.commands import Connection as Conn
from pamqp.header import ProtocolHeader

from rpcscope.amqp import Where, connect
from rpcscope.errors import BrokerError
from tests.support.amqp import Ear, run
from tests.unit.amqp.broker import serving
from tests.unit.amqp.clock import run_skipping


@pytest.mark.parametrize(
    ("proposed", "asked_s", "agreed"),
    [
        ((131072, 60), 60, (131072, 60)),
        ((131072, 60), 10, (131072, 10)),
        ((131072, 10), 60, (131072, 10)),
        ((131072, 60), 0, (131072, 0)),
        ((131072, 0), 60, (131072, 60)),
        ((8192, 60), 60, (8192, 60)),
        ((0, 60), 60, (131072, 60)),
        ((1 << 20, 60), 60, (131072, 60)),
    ],
)
def test_the_smaller_wish_is_agreed_on(proposed: tuple[int, int], asked_s: int, agreed: tuple[int, int]) -> None:
    async def test() -> None:
        async with serving() as (where, peers):
            connecting = asyncio.create_task(connect(where, name="n", handler=Ear(), heartbeat_s=asked_s))
            said = await (await peers.get()).shake_hands(Conn.Tune(2047, *proposed))
            connection = await connecting
            assert (said.channel_max, said.frame_max, said.heartbeat) == (1, *agreed)
            assert connection.frame_max == agreed[0]
            connection.abort()

    run(test())


def test_a_client_says_who_it_is_and_what_it_can() -> None:
    async def test() -> None:
        async with serving() as (where, peers):
            connecting = asyncio.create_task(connect(where, name="nova-compute:7:x", product="nova", handler=Ear()))
            peer = await peers.get()
            await peer.expect(ProtocolHeader)
            peer.say(Conn.Start(0, 9, {}, "AMQPLAIN PLAIN", "en_US"), 0)
            said = await peer.expect(Conn.StartOk)
            assert isinstance(said, Conn.StartOk)
            assert (said.mechanism, said.response) == ("PLAIN", f"\0{where.username}\0{where.password}")
            about = said.client_properties
            assert about["product"] == "nova"
            assert about["connection_name"] == "nova-compute:7:x"
            can = about["capabilities"]
            assert isinstance(can, dict)
            assert {"publisher_confirms", "consumer_cancel_notify", "connection.blocked", "basic.nack"} < set(can)
            peer.say(Conn.Tune(0, 100, 0), 0)
            with pytest.raises(BrokerError, match="frame_max under 4096"):
                await connecting
            assert await peer.at_end()

    run(test())


def test_a_broker_that_says_nothing_is_left_in_time() -> None:
    async def test() -> None:
        async with serving() as (where, peers):
            with pytest.raises(BrokerError, match=r"did not answer in 7 s: .*\.$"):
                await connect(where, name="n", handler=Ear(), timeout_s=7)
            assert await (await peers.get()).expect(ProtocolHeader)

    run_skipping(test())


def test_a_broker_that_takes_no_passwords_is_named() -> None:
    async def test() -> None:
        async with serving() as (where, peers):
            connecting = asyncio.create_task(connect(where, name="n", handler=Ear()))
            (await peers.get()).say(Conn.Start(0, 9, {}, "EXTERNAL", "en_US"), 0)
            with pytest.raises(BrokerError, match="takes no passwords"):
                await connecting

    run(test())


def test_a_connection_that_ends_with_its_handshake_is_not_handed_out() -> None:
    async def test() -> None:
        async with serving() as (where, peers):
            connecting = asyncio.create_task(connect(where, name="n", handler=Ear()))
            peer = await peers.get()
            await peer.shake_hands(last_words=Conn.Close(320, "CONNECTION_FORCED - bye", 0, 0))
            with pytest.raises(BrokerError, match="320 CONNECTION_FORCED"):
                await connecting
            await peer.expect(Conn.CloseOk)
            assert await peer.at_end()

    run(test())


def test_a_cancelled_connect_leaves_no_socket() -> None:
    async def test() -> None:
        async with serving() as (where, peers):
            connecting = asyncio.create_task(connect(where, name="n", handler=Ear()))
            peer = await peers.get()
            await peer.expect(ProtocolHeader)
            connecting.cancel()
            with suppress(asyncio.CancelledError):
                await connecting
            assert await peer.at_end()

    run(test())


@contextmanager
def few_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as last:
        resource.setrlimit(resource.RLIMIT_NOFILE, (last.fileno(), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    ("where", "source", "said"),
    [
        (Where("127.0.0.1", 1), None, "can not be reached (Connection refused)"),
        (Where("x" * 64 + ".invalid", 1), None, "can not be reached (no such address)"),
        (Where("127.0.0.1", 1), "192.0.2.1", "No port is free at 192.0.2.1"),
        (Where("127.0.0.1", 1), "nonsense", "nonsense is no address"),
        (Where("127.0.0.1", 70000), None, "can not be reached (no such address)"),
    ],
)
def test_what_can_not_be_reached_is_said_in_a_sentence(where: Where, source: str | None, said: str) -> None:
    with pytest.raises(BrokerError) as caught:
        run(connect(where, name="n", handler=Ear(), source=source))
    assert said in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_process_out_of_descriptors_is_told_so() -> None:
    async def test() -> None:
        with few_descriptors(), pytest.raises(BrokerError, match="out of file descriptors"):
            await connect(Where("127.0.0.1", 1), name="n", handler=Ear())

    run(test())


def test_a_password_is_not_shown() -> None:
    assert "PS7q" not in repr(Where("h", 1, "/", "user", "PS7q")) + str(Where("h", 1, "/", "user", "PS7q"))
