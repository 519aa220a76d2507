"""The AMQP core beside pika on a real broker: the same bytes both ways, and every end that a broker makes."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from random import Random
from typing import Any
from urllib.parse import quote

import pika
import pytest
from pamqp.commands import Basic

from rpcscope.amqp import Connection, Publish, Refused, Where, connect, decode_properties
from rpcscope.amqp.scanner import Scanner
from rpcscope.errors import BrokerError
from rpcscope.private_broker import PrivateBroker
from tests.support.amqp import PATIENCE_S, Ear, Notes, run
from tests.support.rabbitmq import Cloud

pytestmark = pytest.mark.server
ROOM = 131072 - 8  # bytes of a body that one frame holds
SIZES = [0, 1, ROOM, ROOM + 1, 2 * ROOM + 1, 1 << 20]
HEADERS: dict[str, Any] = {"text": "grüße", "number": 1 << 40, "list": [1, "a", {"b": True}], "none": None}


def where(cloud: Cloud) -> Where:
    return Where("127.0.0.1", cloud.server.port, cloud.vhost, cloud.server.user, cloud.server.password)


@asynccontextmanager
async def connected(cloud: Cloud, ear: Ear, **options: Any) -> AsyncIterator[Connection]:
    connection = await connect(where(cloud), name="nova-compute:1:emulated", handler=ear, **options)
    try:
        yield connection
    finally:
        await connection.close()


def test_what_pika_publishes_is_received_byte_for_byte(cloud: Cloud) -> None:
    properties = pika.BasicProperties(
        content_type="application/json", headers=HEADERS, delivery_mode=2, priority=3, expiration="600000"
    )
    bodies = [os.urandom(size) for size in SIZES]

    async def test() -> None:
        ear = Ear(acks=True)
        async with connected(cloud, ear) as connection:
            assert await connection.queue_declare("q", exclusive=True) == ("q", 0, 0)
            await connection.qos(2)
            await connection.exchange_declare("nova", "topic")
            await connection.queue_bind("q", "nova", "conductor")
            assert await connection.consume("q") == 1
            with closing(cloud.connect()) as peer:
                channel = peer.channel()
                for body in bodies:
                    channel.basic_publish("nova", "conductor", body, properties)
            await ear.until(lambda ear: len(ear.deliveries) == len(bodies))
            assert (await connection.queue_declare("q", passive=True))[1] == 0, "an ack was lost"
        for number, (got, body) in enumerate(zip(ear.deliveries, bodies, strict=True), 1):
            assert got[:5] == (1, number, b"nova", b"conductor", False)
            assert got.body == body
            read = decode_properties(got.properties)
            assert (read.content_type, read.delivery_mode, read.priority) == ("application/json", 2, 3)
            assert (read.expiration, read.headers) == ("600000", HEADERS)

    run(test())


def test_what_is_published_pika_receives(cloud: Cloud) -> None:
    properties = Basic.Properties(content_type="application/json", headers=HEADERS, delivery_mode=2, message_id="m")
    bodies = [os.urandom(size) for size in SIZES]

    async def publish(ear: Ear) -> None:
        async with connected(cloud, ear) as connection:
            await connection.queue_declare("q", arguments={"x-expires": 600_000, "x-queue-type": "classic"})
            assert connection.publish(Publish("", "q", properties, b"before").frames()) == 0
            await connection.confirm_select()
            tags = [connection.publish(Publish("", "q", properties, body).frames()) for body in bodies]
            split = Publish("", "q", properties, bytes(3 * ROOM))
            tags.append(connection.publish(split.patched({0: b"first", ROOM - 2: b"over", 0x50000: b"x"})))
            assert tags == [1, 2, 3, 4, 5, 6, 7]
            await ear.until(lambda ear: bool(ear.confirms) and settled(ear) == set(tags))

    ear = Ear()
    run(publish(ear))
    expected = bytearray(3 * ROOM)
    expected[:5], expected[ROOM - 2 : ROOM + 2], expected[0x50000] = b"first", b"over", ord("x")
    with closing(cloud.connect()) as peer:
        channel = peer.channel()
        for body in [b"before", *bodies, bytes(expected)]:
            method, read, got = channel.basic_get("q", auto_ack=True)
            assert (method.exchange, method.routing_key) == ("", "q")
            assert got == body
            assert (read.content_type, read.headers, read.delivery_mode, read.message_id) == (
                *("application/json", HEADERS, 2),
                "m",
            )
        channel.queue_delete("q")


def test_any_cut_of_what_a_broker_sent_tells_the_same(cloud: Cloud) -> None:
    sent = run(recorded(cloud))
    whole, cuts = Notes(), Random(7)
    Scanner(131072).feed(sent, whole)
    kinds = Counter(told[0] for told in whole.told)
    assert (kinds["delivered"], kinds["returned"], kinds["confirmed"] > 0, kinds["method"]) == (4, 1, True, 8)
    for pieces in (2, 3, 10, 100, 1000):
        for _ in range(10):
            at = sorted(cuts.randrange(len(sent)) for _ in range(pieces))
            notes, scanner = Notes(), Scanner(131072)
            for start, stop in zip([0, *at], [*at, len(sent)], strict=True):
                scanner.feed(sent[start:stop], notes)
            assert notes.told == whole.told


async def recorded(cloud: Cloud) -> bytes:
    """All bytes that the broker sends to a connection which does a bit of everything."""
    sent, ear, over = bytearray(), Ear(acks=True), asyncio.Event()

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = await asyncio.open_connection("127.0.0.1", cloud.server.port)
        await asyncio.gather(carry(reader, upstream[1]), carry(upstream[0], writer, sent))
        over.set()

    server = await asyncio.start_server(between, "127.0.0.1", 0)
    there = dataclasses.replace(where(cloud), port=server.sockets[0].getsockname()[1])
    connection = await connect(there, name="emulated", handler=ear)
    await connection.queue_declare("q", exclusive=True)
    await connection.confirm_select()
    await connection.consume("q")
    for size in (0, 1, 2000, 2 * ROOM):
        connection.publish(Publish("", "q", Basic.Properties(headers=HEADERS), os.urandom(size)).frames())
    connection.publish(Publish("", "nobody", None, b"lost", mandatory=True).frames())
    await ear.until(lambda ear: len(ear.deliveries) == 4 and settled(ear) == {1, 2, 3, 4, 5})
    await connection.close()
    await over.wait()
    server.close()
    await server.wait_closed()
    return bytes(sent)


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, copy: bytearray | None = None) -> None:
    while data := await reader.read(65536):
        if copy is not None:
            copy += data
        writer.write(data)
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def settled(ear: Ear) -> set[int]:
    """Tags that the broker has taken, `multiple` read as all before."""
    assert all(ack for _, _, ack in ear.confirms)
    last = max([tag for tag, multiple, _ in ear.confirms if multiple], default=0)
    return {*range(1, last + 1), *(tag for tag, _, _ in ear.confirms)}


def test_a_full_queue_refuses_and_is_told_as_a_nack(cloud: Cloud) -> None:
    async def test() -> None:
        ear = Ear()
        async with connected(cloud, ear) as connection:
            await connection.queue_declare(
                "full", exclusive=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"}
            )
            await connection.confirm_select()
            message = Publish("", "full", None, b"x").frames()
            for _ in range(3):
                connection.publish(message)
            await ear.until(lambda ear: any(not ack for _, _, ack in ear.confirms))
            assert (1, False, True) in ear.confirms

    run(test())


def test_a_mandatory_message_that_nobody_gets_comes_back_before_its_confirm(cloud: Cloud) -> None:
    async def test() -> None:
        ear = Ear()
        async with connected(cloud, ear) as connection:
            await connection.confirm_select()
            for body in (b"", b"lost", bytes(2 * ROOM)):
                connection.publish(Publish("", "nobody", None, body, mandatory=True).frames())
            await ear.until(lambda ear: bool(ear.confirms) and settled(ear) == {1, 2, 3})
            assert ear.returns == [(312, b"nobody", b""), (312, b"nobody", b"lost"), (312, b"nobody", bytes(2 * ROOM))]

    run(test())


def test_what_was_not_acknowledged_comes_again_and_says_so(cloud: Cloud) -> None:
    async def test() -> None:
        async with connected(cloud, Ear()) as connection:
            await connection.queue_declare("q")
            first = Ear()
            async with connected(cloud, first) as taking:
                await taking.consume("q")
                for number in range(3):
                    connection.publish(Publish("", "q", None, b"%d" % number).frames())
                await first.until(lambda ear: len(ear.deliveries) == 3)
                taking.ack(first.deliveries[1].tag, multiple=True)
            again = Ear()
            async with connected(cloud, again) as taking:
                await taking.consume("q", no_ack=True)
                await again.until(lambda ear: bool(ear.deliveries))
                assert [(one.body, one.redelivered) for one in again.deliveries] == [(b"2", True)]
            assert await connection.queue_delete("q") == 0

    run(test())


def test_each_consumer_has_its_own_number_and_a_cancelled_one_gets_nothing(cloud: Cloud) -> None:
    async def test() -> None:
        ear = Ear()
        async with connected(cloud, ear) as connection:
            names = [f"q{number}" for number in range(1, 13)]
            await asyncio.gather(*(connection.queue_declare(name, exclusive=True) for name in names))
            numbers = await asyncio.gather(*(connection.consume(name, no_ack=True) for name in names))
            assert numbers == list(range(1, 13))
            await connection.cancel(3)
            for name in names:
                connection.publish(Publish("", name, None, name.encode()).frames())
            await ear.until(lambda ear: len(ear.deliveries) == 11)
            assert {(one.consumer, one.body.decode()) for one in ear.deliveries} == {
                (number, f"q{number}") for number in range(1, 13) if number != 3
            }
            assert (await connection.queue_declare("q3", passive=True))[1] == 1

    run(test())


def test_a_deleted_queue_ends_its_consumers_connection(cloud: Cloud) -> None:
    async def test() -> None:
        ear = Ear()
        async with connected(cloud, ear) as connection, connected(cloud, Ear()) as other:
            await connection.queue_declare("q")
            await connection.consume("q")
            await other.queue_delete("q")
            error = await ear.end()
            assert isinstance(error, Refused)
            assert "cancelled consumer 1 of nova-compute:1:emulated" in str(error)
            assert connection.is_closed
            assert not other.is_closed

    run(test())


def test_a_connection_closed_at_the_management_says_so(cloud: Cloud) -> None:
    async def test() -> None:
        ear = Ear()
        async with connected(cloud, ear, source="127.83.1.2"):
            await close_at_management(cloud.server, cloud.vhost)
            error = await ear.end()
            assert isinstance(error, Refused)
            assert error.code == 320
            assert "somebody closed it" in str(error)

    run(test())


async def close_at_management(server: PrivateBroker, vhost: str) -> None:
    """Close the vhost's only connection, once the management knows it."""

    def ask(path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(
            f"{server.management_url}/api/{path}", headers={"Authorization": server._authorization()}, method=method
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    async with asyncio.timeout(PATIENCE_S):
        while not (known := ask(f"vhosts/{vhost}/connections")) or "client_properties" not in known[0]:
            await asyncio.sleep(0.1)
    assert known[0]["client_properties"]["connection_name"] == "nova-compute:1:emulated"
    assert known[0]["peer_host"] == "127.83.1.2"
    ask(f"connections/{quote(known[0]['name'])}", "DELETE")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"password": "PS7q-wrong"}, "refuses user rpcscope: check user and password."),
        ({"vhost": "no-such"}, "has no vhost no-such: make it first"),
        ({"username": "nobody", "password": "PS7q-nobody"}, "User nobody may not use vhost"),
    ],
)
def test_who_is_not_let_in_learns_why(cloud: Cloud, change: dict[str, Any], said: str) -> None:
    cloud.server.add_user("nobody", "PS7q-nobody")
    with pytest.raises(BrokerError) as caught:
        run(connect(dataclasses.replace(where(cloud), **change), name="n", handler=Ear()))
    assert said in str(caught.value)
    assert "PS7q" not in str(caught.value)


def test_a_refused_request_says_what_the_broker_said(cloud: Cloud) -> None:
    async def test() -> None:
        ear = Ear()
        async with connected(cloud, ear) as connection, connected(cloud, Ear()) as other:
            await connection.queue_declare("q", exclusive=True)
            with pytest.raises(Refused, match="405 RESOURCE_LOCKED") as caught:
                await other.queue_declare("q", exclusive=True)
            assert caught.value.code == 405
            with pytest.raises(Refused, match="406 PRECONDITION_FAILED"):
                await connection.queue_declare("q", exclusive=True, auto_delete=True)
            assert [one.code for one in ear.ends if isinstance(one, Refused)] == [406]

    run(test())


def test_short_frames_an_alarm_and_the_death_of_a_broker() -> None:
    body = os.urandom(100_000)

    async def test(server: PrivateBroker) -> None:
        ear = Ear(acks=True)
        made = Where("127.0.0.1", server.port, "/", server.user, server.password)
        connection = await connect(made, name="emulated", handler=ear)
        assert connection.frame_max == 8192
        await connection.queue_declare("q", exclusive=True)
        await connection.consume("q")
        connection.publish(Publish("", "q", None, body, frame_max=connection.frame_max).frames())
        await ear.until(lambda ear: len(ear.deliveries) == 1)
        assert ear.deliveries[0].body == body
        await asyncio.to_thread(server.ctl, "set_vm_memory_high_watermark", "absolute", "1")
        connection.publish(Publish("", "q", None, b"x").frames())  # the first publish of an alarm is what is blocked
        await ear.until(lambda ear: ear.blocked == [True])
        assert connection.blocked
        await asyncio.to_thread(server.ctl, "set_vm_memory_high_watermark", "absolute", "512MB")
        await ear.until(lambda ear: ear.blocked == [True, False])
        assert not connection.blocked
        await ear.until(lambda ear: len(ear.deliveries) == 2)
        server.kill()
        assert "was lost" in str(await ear.end())
        await connection.close()

    with PrivateBroker(settings={"frame_max": "8192"}) as server:
        run(test(server))
