"""A link loses and reorders nothing, however slowly the other side reads."""

from __future__ import annotations

import asyncio
import os
import socket
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rpcscope.amqp import Connection, Where
from rpcscope.amqp.hub import Hub, hub
from rpcscope.amqp.link import Link
from tests.support.amqp import run

BUFFER = 8192


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


class Owner:
    """It keeps what comes."""

    def __init__(self) -> None:
        self.data = b""
        self.causes: list[str] = []
        self.over = asyncio.Event()

    def received(self, data: bytes) -> None:
        self.data += data

    def lost(self, cause: str) -> None:
        self.causes.append(cause)
        self.over.set()


@contextmanager
def linked(owner: Owner) -> Iterator[tuple[Link, socket.socket]]:
    """A link and the other end of its socket, with little room between them."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        link = Link(hub(), ours, owner)
        try:
            yield link, theirs
        finally:
            link.drop()


async def read(theirs: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        found += await asyncio.get_running_loop().sock_recv(theirs, 1000)
    return found


@pytest.mark.parametrize("pieces", [1, 2, 31, 32, 33, 500])
def test_what_the_kernel_does_not_take_follows_in_order(pieces: int) -> None:
    async def test() -> None:
        with linked(Owner()) as (link, theirs):
            sent = [os.urandom(3000) for _ in range(pieces)]
            for piece in sent:
                link.send(piece)
            reading = asyncio.create_task(read(theirs, 3000 * pieces))
            await link.drained()
            assert link.unsent == 0
            assert await reading == b"".join(sent)

    run(test())


def test_what_waits_is_counted_and_what_is_sent_meanwhile_comes_after_it() -> None:
    async def test() -> None:
        with linked(Owner()) as (link, theirs):
            link.send(bytes(1_000_000))
            assert link.unsent == 1_000_000
            await asyncio.sleep(0.01)
            assert 0 < link.unsent < 1_000_000
            link.send(b"last")
            link.flush()
            assert (await read(theirs, 1_000_004)).endswith(b"\0last")
            await link.drained()

    run(test())


def test_the_end_of_the_other_side_is_told_once_after_what_it_said() -> None:
    async def test() -> None:
        owner = Owner()
        with linked(owner) as (link, theirs):
            theirs.send(b"goodbye")
            theirs.close()
            for _ in range(100):
                link.send(b"is anybody there?")
            await owner.over.wait()
            await link.drained()
        assert (owner.data, len(owner.causes)) == (b"goodbye", 1)

    run(test())


def test_waiting_for_room_ends_with_the_link() -> None:
    async def test() -> None:
        with linked(Owner()) as (link, _):
            link.send(bytes(1_000_000))
            waiting = asyncio.create_task(link.drained())
            await asyncio.sleep(0.01)
            link.drop()
            await waiting

    run(test())


def test_a_connection_holds_less_than_three_and_a_half_kilobytes() -> None:
    count = 200

    async def test() -> float:
        pairs = [socket.socketpair() for _ in range(count)]
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        connections = []
        for number, (ours, _) in enumerate(pairs):
            again = socket.socket(fileno=os.dup(ours.fileno()))
            again.setblocking(False)
            connections.append(Connection(again, Where("127.0.0.1"), f"nova-compute:{number}:emulated"))
            connections[-1].agree(131072, 60)
        each = (tracemalloc.get_traced_memory()[0] - before) / count
        tracemalloc.stop()
        for connection, pair in zip(connections, pairs, strict=True):
            connection.abort()
            for one in pair:
                one.close()
        return each

    assert run(test()) < 3500


def test_a_loop_has_one_hub_while_it_has_links_and_none_after() -> None:
    async def test() -> None:
        with linked(Owner()), linked(Owner()):
            first: Hub = hub()
            assert hub() is first
        before = descriptors()
        with linked(Owner()):
            assert hub() is not first
        assert descriptors() == before

    run(test())
