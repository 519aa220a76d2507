"""Whatever the other side says, a connection ends once, with a reason, and nothing reaches the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pamqp import frame
from pamqp.commands import Basic, Channel, Queue
from pamqp.commands import Connection as Conn
from pamqp.heartbeat import Heartbeat

from rpcscope.amqp import Connection, Publish, Refused, connect
from rpcscope.errors import BrokerError
from tests.support.amqp import Ear, run
from tests.unit.amqp.broker import Peer, serving
from tests.unit.amqp.clock import run_skipping


@asynccontextmanager
async def connected(ear: Ear, heartbeat_s: int = 0) -> AsyncIterator[tuple[Connection, Peer]]:
    async with serving() as (where, peers):
        connecting = asyncio.create_task(connect(where, name="emulated", handler=ear, heartbeat_s=heartbeat_s))
        peer = await peers.get()
        await peer.shake_hands()
        connection = await connecting
        try:
            yield connection, peer
        finally:
            connection.abort()


async def consuming(connection: Connection, peer: Peer) -> None:
    asked = asyncio.create_task(connection.consume("q"))
    await peer.expect(Basic.Consume)
    peer.say(Basic.ConsumeOk("1"))
    assert await asked == 1


_DELIVER = frame.marshal(Basic.Deliver("1", 1, False, "", "q"), 1)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="another protocol"),
        pytest.param(_DELIVER[:-1] + b"\0", id="no frame end"),
        pytest.param(b"\x03\0\1\x7f\0\0\0", id="a frame too long"),
        pytest.param(frame.marshal(Queue.DeclareOk("q", 0, 0), 1), id="an answer to no question"),
        pytest.param(frame.marshal(Conn.CloseOk(), 0), id="a goodbye to no goodbye"),
        pytest.param(frame.marshal(Basic.Ack(1, False), 1), id="a confirm of nothing"),
        pytest.param(_DELIVER + frame.marshal(Basic.Cancel("1"), 1), id="a method inside a content"),
        pytest.param(b"\x01\0\0\0\0\0\5\0\x0a\0\x32\xff\xce", id="a method cut short"),
        pytest.param(b"\x01\0\0\0\0\0\4\x7f\0\x7f\0\xce", id="an unknown method"),
    ],
)
def test_garbage_ends_a_connection_with_a_reason(sent: bytes) -> None:
    async def test() -> None:
        ear = Ear()
        async with connected(ear) as (connection, peer):
            await consuming(connection, peer)
            peer.write(sent)
            peer.write(frame.marshal(Channel.FlowOk(True), 1))  # nor is this due
            error = await ear.end()
            assert "is not AMQP 0-9-1" in str(error)
            assert connection.is_closed
            with pytest.raises(BrokerError, match="is not AMQP"):
                connection.publish(b"")
            assert await peer.at_end()
        assert ear.ends == [error]

    run(test())


@pytest.mark.parametrize("consumer", ["2", "0", "", "x", "+1", "1" * 200])
def test_a_delivery_to_no_consumer_is_garbage(consumer: str) -> None:
    async def test() -> None:
        ear = Ear()
        async with connected(ear) as (connection, peer):
            await consuming(connection, peer)
            peer.say(Basic.Deliver(consumer, 1, False, "", "q"))
            peer.write(b"\x02\0\1\0\0\0\x0e\0\x3c\0\0" + bytes(8) + b"\0\0\xce")
            assert "a delivery to no consumer" in str(await ear.end())
            assert not ear.deliveries

    run(test())


def test_a_close_of_the_channel_is_answered_and_ends_the_connection_in_order() -> None:
    async def test() -> None:
        ear = Ear()
        async with connected(ear) as (connection, peer):
            asked = asyncio.create_task(connection.queue_bind("q", "nowhere", "k"))
            await peer.expect(Queue.Bind)
            peer.say(Channel.Close(404, "NOT_FOUND - no \u202eexchange\x00 " + "x" * 220, 50, 20))
            await peer.expect(Channel.CloseOk)
            await peer.expect(Conn.Close)
            error = await ear.end()
            assert isinstance(error, Refused)
            assert (error.code, error.text[:24]) == (404, "NOT_FOUND - no exchange ")
            assert len(error.text) <= 200
            assert "emulated" in str(error)
            with pytest.raises(Refused):
                await asked
            peer.say(Conn.CloseOk(), 0)
            await connection.close()
            assert await peer.at_end()
        assert ear.ends == [error]

    run(test())


def test_a_close_of_the_connection_is_answered_and_told() -> None:
    async def test() -> None:
        ear = Ear()
        async with connected(ear) as (_, peer):
            peer.say(Conn.Close(320, "CONNECTION_FORCED - bye", 0, 0), 0)
            await peer.expect(Conn.CloseOk)
            error = await ear.end()
            assert isinstance(error, Refused)
            assert error.code == 320
            assert await peer.at_end()

    run(test())


def test_a_cancelled_consumer_ends_the_connection() -> None:
    async def test() -> None:
        ear = Ear()
        async with connected(ear) as (connection, peer):
            await consuming(connection, peer)
            peer.say(Basic.Cancel("1"))
            await peer.expect(Conn.Close)
            error = await ear.end()
            assert isinstance(error, Refused)
            assert error.code == 0

    run(test())


def test_a_lost_socket_is_told_once_and_fails_what_waits() -> None:
    async def test() -> None:
        ear = Ear()
        async with connected(ear) as (connection, peer):
            asked = asyncio.create_task(connection.queue_declare("q"))
            await peer.expect(Queue.Declare)
            peer.close()
            error = await ear.end()
            assert "closed it without a word" in str(error)
            with pytest.raises(BrokerError, match="was lost"):
                await asked
        assert ear.ends == [error]

    run(test())


def test_closing_in_order_sends_what_was_published_first_and_tells_no_error() -> None:
    async def test() -> None:
        ear = Ear()
        async with connected(ear) as (connection, peer):
            connection.publish(Publish("", "q", None, b"last words").frames())
            closing = asyncio.create_task(connection.close())
            await peer.expect(Basic.Publish)
            await peer.read()
            await peer.read()
            await peer.expect(Conn.Close)
            peer.say(Basic.Deliver("1", 1, False, "", "q"))  # it was on its way, and is nobody's now
            peer.say(Conn.CloseOk(), 0)
            await closing
            assert await peer.at_end()
            await connection.close()
        assert ear.ends == [None]

    run(test())


def test_questions_asked_together_are_answered_in_order() -> None:
    async def test() -> None:
        async with connected(Ear()) as (connection, peer):
            asked = [asyncio.create_task(connection.queue_declare(name)) for name in "abc"]
            for number in range(3):
                declare = await peer.expect(Queue.Declare)
                assert isinstance(declare, Queue.Declare)
                peer.say(Queue.DeclareOk(declare.queue, number, 7))
            asked[1].cancel()  # an answer to nobody is still an answer
            assert await asked[0] == ("a", 0, 7)
            assert await asked[2] == ("c", 2, 7)

    run(test())


def test_a_handler_that_raises_ends_its_own_connection_and_is_reported() -> None:
    class Broken(Ear):
        def on_blocked(self, connection: Connection, blocked: bool) -> None:
            raise RuntimeError("broken handler")

    async def test() -> list[str]:
        faults: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, fault: faults.append(str(fault["exception"])))
        ear, other = Broken(), Ear()
        async with connected(ear) as (_, peer), connected(other) as (connection, healthy):
            peer.say(Conn.Blocked("memory"), 0)
            assert "handler" in str(await ear.end())
            healthy.say(Conn.Blocked("memory"), 0)
            await other.until(lambda one: one.blocked == [True])
            assert connection.blocked
        return faults

    assert asyncio.run(test()) == ["broken handler"]


def test_a_handler_may_abort_and_is_told_nothing_after_that() -> None:
    class Leaving(Ear):
        def on_delivery(self, connection: Connection, *told: object) -> None:
            super().on_delivery(connection, *told)
            connection.abort()
            connection.ack(1)

    async def test() -> None:
        ear = Leaving()
        async with connected(ear) as (connection, peer):
            await consuming(connection, peer)
            peer.write((_DELIVER + b"\x02\0\1\0\0\0\x0e\0\x3c\0\0" + bytes(8) + b"\0\0\xce") * 3)
            await ear.end()
        assert len(ear.deliveries) == 1
        assert ear.ends == [None]

    run(test())


def test_a_silent_broker_is_given_up_after_two_heartbeat_times() -> None:
    async def test() -> None:
        ear = Ear()
        async with connected(ear, heartbeat_s=10) as (_, peer):
            began = asyncio.get_running_loop().time()
            error = await ear.end()
            assert 20 <= asyncio.get_running_loop().time() - began <= 26
            assert "no heartbeat for 20 s" in str(error)
            for _ in range(3):
                await peer.expect(Heartbeat)
            assert await peer.at_end()

    run_skipping(test())


def test_heartbeats_of_the_broker_keep_a_quiet_connection() -> None:
    async def test() -> None:
        ear = Ear()
        async with connected(ear, heartbeat_s=10) as (connection, peer):
            for _ in range(8):
                await asyncio.sleep(10)
                peer.write(frame.marshal(Heartbeat(), 0))
                await peer.expect(Heartbeat)
            assert not connection.is_closed

    run_skipping(test())


def test_a_goodbye_that_is_not_answered_is_not_waited_for_long() -> None:
    async def test() -> None:
        ear = Ear()
        async with connected(ear) as (connection, peer):
            began = asyncio.get_running_loop().time()
            await connection.close(timeout_s=5)
            assert 4 <= asyncio.get_running_loop().time() - began <= 6
            await peer.expect(Conn.Close)
            assert await peer.at_end()
        assert ear.ends == [None]

    run_skipping(test())
