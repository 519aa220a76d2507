"""The other end of a connection, as a test wants it: a server that shakes hands and then says what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pamqp import frame
from pamqp.base import Frame
from pamqp.commands import Channel
from pamqp.commands import Connection as Conn
from pamqp.frame import FrameTypes
from pamqp.header import ProtocolHeader

from rpcscope.amqp import Where

Answers = Callable[[Frame], list[tuple[int, Frame]]]


class Peer:
    """What the server knows of one client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self) -> FrameTypes:
        """The client's next frame. Raises IncompleteReadError at its end."""
        head = await self._reader.readexactly(7)
        if head.startswith(b"AMQP"):
            head += await self._reader.readexactly(1)
        else:
            head += await self._reader.readexactly(int.from_bytes(head[3:7], "big") + 1)
        return frame.unmarshal(head)[2]

    async def expect(self, kind: type[FrameTypes]) -> FrameTypes:
        """The client's next frame, which has to be this."""
        found = await self.read()
        assert isinstance(found, kind), found
        return found

    async def at_end(self) -> bool:
        """The client closes its socket, and says nothing more."""
        return await self._reader.read() == b""

    def say(self, method: Frame, channel: int = 1) -> None:
        self.write(frame.marshal(method, channel))

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    def close(self) -> None:
        self._writer.close()

    async def shake_hands(self, tune: Conn.Tune | None = None, last_words: Conn.Close | None = None) -> Conn.TuneOk:
        """As RabbitMQ does it; what the client agreed to. `last_words` come in one piece with the last answer."""
        await self.expect(ProtocolHeader)
        self.say(Conn.Start(0, 9, {}, "PLAIN AMQPLAIN", "en_US"), 0)
        await self.expect(Conn.StartOk)
        self.say(tune or Conn.Tune(2047, 131072, 60), 0)
        agreed = await self.expect(Conn.TuneOk)
        await self.expect(Conn.Open)
        self.say(Conn.OpenOk(), 0)
        await self.expect(Channel.Open)
        goodbye = frame.marshal(last_words, 0) if last_words else b""
        self.write(frame.marshal(Channel.OpenOk(), 1) + goodbye)
        assert isinstance(agreed, Conn.TuneOk)
        return agreed


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Where, asyncio.Queue[Peer]]]:
    """A server on a free port of 127.0.0.1, and its clients as they come."""
    peers: asyncio.Queue[Peer] = asyncio.Queue()
    came: list[Peer] = []

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(Peer(reader, writer))
        peers.put_nowait(came[-1])

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield Where("127.0.0.1", server.sockets[0].getsockname()[1], "/", "user", "PS7q-password"), peers
    finally:
        server.close()
        for peer in came:
            peer.close()
        await server.wait_closed()
