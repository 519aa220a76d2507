"""Opens the connections of emulated processes: some at a time, tried again when the broker is slow or refuses."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rpcscope.amqp import Connection, Handler, Refused
from rpcscope.emulator.content import FRAME_MAX
from rpcscope.emulator.listener import Listener, Replies, Single
from rpcscope.emulator.queues import Profile
from rpcscope.emulator.quiet import Quiet
from rpcscope.emulator.score import CONTROL_EXCHANGE
from rpcscope.errors import BrokerError

if TYPE_CHECKING:
    from rpcscope.emulator.process import Process
    from rpcscope.emulator.score import Node
    from rpcscope.emulator.stage import Stage
    from rpcscope.emulator.vhost import OwnVhost

AT_ONCE = 100  # handshakes; a broker's default backlog of connections is 128
_TIMEOUT_S = 30.0
_PAUSES_S = (1.0, 3.0, 5.0)  # oslo.messaging's: rabbit_retry_interval, rabbit_retry_backoff
_CONSUMERS = 3  # of an RPC server
_LOOK_S = 0.05
_FINAL = (errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL)


class Plug:
    """Connections to one vhost."""

    def __init__(self, own: OwnVhost, stage: Stage, repertoire: Mapping[tuple[str, str], Node]) -> None:
        """`repertoire`: by topic and method, what is known of messages that come from somebody else."""
        self._own, self._stage, self._repertoire = own, stage, repertoire
        self._free = asyncio.Semaphore(AT_ONCE)
        self._profile = Profile(stage.manner.control.profile, stage.ids)
        self.opened = 0

    @property
    def is_single(self) -> bool:
        """Each process has one connection, unlike nova's."""
        return self._stage.manner.control.shape == "reduced"

    @property
    def send_limit(self) -> int:
        """Connections that a process may publish with."""
        return 1 if self.is_single else self._stage.manner.control.send_pool

    def repertoire(self, topic: str, method: str) -> Node | None:
        """What is known of a method; None: nothing."""
        return self._repertoire.get((topic, method))

    async def declare(self, process: Process, control: list[str], fanouts: list[str]) -> None:
        """Make the exchanges that are published to, so that none is missing."""
        connection = await self._open(process, Quiet(self._stage.fail))
        await self._profile.exchanges(connection, control, fanouts)
        await connection.close()
        self.opened -= 1

    async def start(self, process: Process) -> None:
        """All that a process has from its start: its servers; of a compute the connections of its first messages."""
        if self.is_single:
            await self._start_single(process)
        else:
            await asyncio.gather(*self._parts(process))
        self._stage.enter(process)

    async def stop(self, process: Process) -> None:
        """Stop listening, wait until what it has in hand is done, delete its fanout queues: a stream is everybody's.

        Source: impl_rabbit.py :: Connection.close.
        """
        self._stage.leave(process)
        for connection, _ in process.listening:
            await asyncio.gather(*(connection.cancel(consumer) for consumer in range(1, _CONSUMERS + 1)))
        while (process.executor.hands or process.pending) and self._stage.error is None:
            await asyncio.sleep(_LOOK_S)
        if not self._profile.durable and self._stage.error is None:
            await asyncio.gather(*(connection.queue_delete(fanout) for connection, fanout in process.listening))

    async def open_send(self, process: Process) -> Connection:
        """A connection to publish with."""
        connection = await self._open(process, process.pool)
        with _while_it_lives(process):
            await connection.confirm_select()
        return connection

    async def open_replies(self, process: Process) -> bytes:
        """The reply queue's name."""
        connection = await self._open(process, Replies(process))
        with _while_it_lives(process):
            name, _ = await self._profile.replies(connection)
        return name.encode()

    def _parts(self, process: Process) -> Iterator[asyncio.Future[None]]:
        for topic in process.topics:
            yield asyncio.ensure_future(self._serve(process, topic))
        if process.role == "compute":
            yield asyncio.ensure_future(self._warm(process))
            yield asyncio.ensure_future(self._notify(process))

    async def _serve(self, process: Process, topic: str) -> None:
        connection = await self._open(process, Listener(process))
        fanout = await self._profile.serve(connection, CONTROL_EXCHANGE, topic, process.host)
        process.listening.append((connection, fanout))

    async def _warm(self, process: Process) -> None:
        process.reply_q, connection = await asyncio.gather(self.open_replies(process), self.open_send(process))
        process.pool.adopt(connection)

    async def _notify(self, process: Process) -> None:
        """The notifier's own pool has a connection from the first notification on. It carries nothing here."""
        await (await self._open(process, Quiet(self._stage.fail))).confirm_select()

    async def _start_single(self, process: Process) -> None:
        handler = Single(process)
        connection = await self._open(process, handler)
        for topic in process.topics:
            fanout = await self._profile.serve(connection, CONTROL_EXCHANGE, topic, process.host)
            process.listening.append((connection, fanout))
        name, handler.replies = await self._profile.replies(connection)
        await connection.confirm_select()
        process.reply_q = name.encode()
        process.pool.adopt(connection)

    async def _open(self, process: Process, handler: Handler) -> Connection:
        name = f"{process.program}:{uuid.uuid4()}"
        async with self._free:
            connection = await self._patiently(name, handler, process.source)
        if process.gone:
            connection.abort()
            raise asyncio.CancelledError
        if connection.frame_max < FRAME_MAX:
            connection.abort()
            raise BrokerError(f"The broker's frames have {connection.frame_max} bytes: set frame_max to {FRAME_MAX}.")
        process.connections.append(connection)
        self.opened += 1
        return connection

    async def _patiently(self, name: str, handler: Handler, source: str | None) -> Connection:
        control = self._stage.manner.control
        for pause_s in (*_PAUSES_S, None):
            try:
                return await self._own.connect(
                    name, handler, source=source, heartbeat_s=round(control.heartbeat_s), timeout_s=_TIMEOUT_S
                )
            except BrokerError as error:
                if pause_s is None or _is_final(error):
                    raise
                await asyncio.sleep(pause_s)
        raise AssertionError("the last attempt returns or raises")


@contextlib.contextmanager
def _while_it_lives(process: Process) -> Iterator[None]:
    """A process that dies drops what it was about to use: no fault of the broker."""
    try:
        yield
    except BrokerError:
        if process.gone:
            raise asyncio.CancelledError from None
        raise


def _is_final(error: BrokerError) -> bool:
    """Trying again would not help: we are not let in, or this machine has no more to give."""
    cause = error.__cause__
    return isinstance(error, Refused) or isinstance(cause, Refused) or getattr(cause, "errno", None) in _FINAL
