"""A door to a broker that turns some away and lets others wait."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Container
from contextlib import asynccontextmanager

from rpcscope.free_ports import free_ports


@asynccontextmanager
async def reluctant(port: int, *, turned_away: Container[int], delay_s: float) -> AsyncIterator[int]:
    """A port of 127.0.0.1 that closes some connections at once, by their numbers from 1, and passes on others later."""
    seen, tasks, writers = 0, set[asyncio.Task[None]](), list[asyncio.StreamWriter]()

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        writers.append(writer)
        if seen not in turned_away:
            await asyncio.sleep(delay_s)
            there, to_broker = await asyncio.open_connection("127.0.0.1", port)
            writers.append(to_broker)
            await asyncio.gather(_pass(reader, to_broker), _pass(there, writer))
        writer.close()

    (door,) = free_ports(1)
    server = await asyncio.start_server(receive, "127.0.0.1", door)
    try:
        yield door
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)  # transports close their sockets in the loop's next turn


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
