"""How fast connections come up, and what each holds of our memory."""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from benchmarks.lean import raw
from benchmarks.lean.handler import Nobody
from rpcscope.amqp import Connection, Where, connect

AT_ONCE = 50
SETTLED_S = 2.0  # the broker takes the queues away


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes per connection."""

    resident: float
    traced: float


async def _all(count: int, make: Callable[[int], Awaitable[None]]) -> float:
    """Seconds until all are made, so many at once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with gate:
            await make(number)

    began = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(count)))
    return time.perf_counter() - began


def bare(where: Where, count: int) -> float:
    """Connections with a queue each a second: canned bytes, answers unread."""

    async def test() -> float:
        made, said = [], raw.handshake(where)

        async def make(_: int) -> None:
            made.append(await raw.declared(where, f"bare-{uuid.uuid4().hex}", said))

        took = await _all(count, make)
        for each in made:
            each.close()
        await asyncio.sleep(SETTLED_S)
        return count / took

    return asyncio.run(test())


def ours(where: Where, count: int) -> float:
    """The same by the core."""

    async def test() -> float:
        connections: list[Connection] = []
        took = await _all(count, lambda number: _declared(where, number, connections))
        await asyncio.gather(*(each.close() for each in connections))
        await asyncio.sleep(SETTLED_S)
        return count / took

    return asyncio.run(test())


async def _declared(where: Where, number: int, made: list[Connection], consumes: bool = False) -> None:
    source = f"127.60.0.{1 + number % 200}"
    connection = await connect(where, name=f"lean-{number}", handler=_nobody, source=source, timeout_s=60)
    queue = f"bare-{uuid.uuid4().hex}"
    await connection.queue_declare(queue, exclusive=True)
    if consumes:
        await connection.consume(queue)
    made.append(connection)


def held(where: Where, count: int) -> Held:
    """Memory of open connections with a consumer each, in processes of their own: once resident, once traced."""
    resident, traced = (_in_child(where, count, trace) for trace in (False, True))
    return Held(resident, traced)


def _in_child(where: Where, count: int, trace: bool) -> float:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
        return child.submit(_measure, where, count, trace).result()


def _measure(where: Where, count: int, trace: bool) -> float:
    async def test() -> float:
        connections: list[Connection] = []
        await _all(AT_ONCE, lambda number: _declared(where, -1 - number, connections, consumes=True))
        if trace:
            tracemalloc.start()
        gc.collect()
        before = _memory(trace)
        await _all(count, lambda number: _declared(where, number, connections, consumes=True))
        gc.collect()
        each = (_memory(trace) - before) / count
        await asyncio.gather(*(one.close() for one in connections))
        return each

    return asyncio.run(test())


def _memory(trace: bool) -> int:
    if trace:
        return tracemalloc.get_traced_memory()[0]
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


_nobody = Nobody()
