"""The least that a client can do: a blocking socket and bytes that were made before."""

from __future__ import annotations

import asyncio
import socket

from pamqp import frame
from pamqp.commands import Channel, Queue
from pamqp.commands import Connection as Conn

from rpcscope.amqp import Where

_HELLO = b"AMQP\x00\x00\x09\x01"


def opened(where: Where) -> socket.socket:
    """A blocking socket after the handshake."""
    made = socket.create_connection((where.host, where.port))
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for said, answers in handshake(where):
        made.sendall(said)
        for _ in range(answers):
            _answer(made)
    return made


def _answer(made: socket.socket) -> None:
    head = made.recv(7, socket.MSG_WAITALL)
    made.recv(int.from_bytes(head[3:7], "big") + 1, socket.MSG_WAITALL)


def handshake(where: Where) -> list[tuple[bytes, int]]:
    """What is said in each step, and how many frames answer it."""
    about = {"capabilities": {"publisher_confirms": True}}
    login = frame.marshal(Conn.StartOk(about, "PLAIN", f"\0{where.username}\0{where.password}", "en_US"), 0)
    tuned = frame.marshal(Conn.TuneOk(1, 131072, 0), 0) + frame.marshal(Conn.Open(where.vhost), 0)
    return [(_HELLO, 1), (login, 1), (tuned, 1), (frame.marshal(Channel.Open(), 1), 1)]


async def declared(where: Where, queue: str, steps: list[tuple[bytes, int]]) -> socket.socket:
    """A connection with one queue of its own, by a loop of sends and receives that reads no answer."""
    loop = asyncio.get_running_loop()
    made = socket.socket()
    made.setblocking(False)
    await loop.sock_connect(made, (where.host, where.port))
    declare = frame.marshal(Queue.Declare(queue=queue, exclusive=True), 1)
    for said, _ in [*steps, (declare, 1)]:
        await loop.sock_sendall(made, said)
        if not (await loop.sock_recv(made, 65536)).endswith(b"\xce"):
            raise RuntimeError("the broker answered in pieces")
    return made
