"""The conversation of one connection with the broker: questions and answers in order, and every way it can end."""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from pamqp.base import Frame
from pamqp.commands import Basic, Channel, Connection

from rpcscope.amqp.garbage import Garbage
from rpcscope.amqp.hub import hub
from rpcscope.amqp.link import Link
from rpcscope.amqp.methods import decode, encode
from rpcscope.amqp.refused import cancelled, refusal, shown
from rpcscope.amqp.scanner import Delivery, Returned, Scanner
from rpcscope.amqp.where import Where
from rpcscope.errors import BrokerError

FRAME_MAX = 131072
"""The longest frame we send or take, in bytes: what RabbitMQ proposes."""
_GOODBYE_S = 10.0
_OPEN, _CLOSING, _OVER = range(3)


class Session(ABC):
    """Asks, takes what comes, and ends once. `frame_max` in bytes is what both sides agreed on."""

    __slots__ = ("_asked", "_error", "_gone", "_link", "_scanner", "_state", "_where", "blocked", "frame_max", "name")

    def __init__(self, connected: socket.socket, where: Where, name: str) -> None:
        self.name = name
        self.frame_max = FRAME_MAX
        self.blocked = False
        """The broker takes no publishes now."""
        self._where = where
        self._state = _OPEN
        self._scanner = Scanner(FRAME_MAX)
        self._asked: list[tuple[int, asyncio.Future[Any] | None]] = []  # answers due, by index; None: nobody waits
        self._error: BrokerError | None = None  # why nothing can be sent any more
        self._gone: asyncio.Future[None] | None = None
        self._link = Link(hub(), connected, self)

    @abstractmethod
    def delivered(self, delivery: Delivery, properties: bytes, body: bytes) -> None:
        """A message came. Raises Garbage when none was due, as the next two do."""

    @abstractmethod
    def returned(self, returned: Returned, body: bytes) -> None:
        """A message came back."""

    @abstractmethod
    def confirmed(self, tag: int, multiple: bool, ack: bool) -> None:
        """A message was taken or refused."""

    @abstractmethod
    def blocking(self, blocked: bool) -> None:
        """`blocked` has changed."""

    @abstractmethod
    def ended(self, error: BrokerError | None) -> None:
        """Nothing comes any more; None when we asked for it. Only the first call counts."""

    @property
    def is_closed(self) -> bool:
        """It is over, or about to be: nothing is sent any more."""
        return self._state != _OPEN

    @property
    def unsent(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return self._link.unsent

    async def drained(self) -> None:
        """Wait until the kernel has taken all. Raises BrokerError when the connection ends before."""
        await self._link.drained()
        self.check_open()

    def check_open(self) -> None:
        """Raise what ended the connection, if anything did."""
        if self._error is not None:
            raise self._error.with_traceback(None)

    def agree(self, frame_max: int, heartbeat_s: int) -> None:
        """Both sides keep to this from now on."""
        self.frame_max = self._scanner.frame_max = frame_max
        self._link.beat(heartbeat_s)

    async def hello(self) -> Any:
        """Say that we speak AMQP 0-9-1; the broker's Start."""
        return await self._awaited(b"AMQP\x00\x00\x09\x01", Connection.Start.index)

    async def ask(self, *methods: Frame) -> Any:
        """Send methods together, and wait for the answer to the last of them. Raises BrokerError when there is none."""
        self.check_open()
        frames = [encode(method, _channel(method)) for method in methods]
        for method, frame in zip(methods[:-1], frames, strict=False):
            self._link.send(frame)
            if answer := _answer(method):
                self._asked.append((answer, None))
        return await self._awaited(frames[-1], _answer(methods[-1]))

    def received(self, data: bytes) -> None:
        """The link brought bytes."""
        try:
            self._scanner.feed(data, self)
        except Garbage as error:
            self._end(error)

    def lost(self, cause: str) -> None:
        """The link is gone."""
        self._end(
            BrokerError(
                f"The connection of {shown(self.name)} to {self._where} was lost ({cause}): "
                "see whether the broker runs, and connect again."
            )
        )

    def method(self, channel: int, index: int, arguments: bytes) -> None:
        """The scanner found a rare method. Raises Garbage when it is not due."""
        if self._state == _OVER or (self._state == _CLOSING and index not in _LAST):
            return
        method = decode(index, arguments)
        react = _REACTIONS.get(index)
        if react is not None:
            react(self, method)
        elif not self._asked or self._asked[0][0] != index:
            raise Garbage("an answer to no question")
        else:
            future = self._asked.pop(0)[1]
            if future is not None and not future.done():
                future.set_result(method)

    async def close(self, timeout_s: float = _GOODBYE_S) -> None:
        """Close in order, after what was published; never raises. After `timeout_s` (at most 60) the socket is dropped.

        From the call on nothing is delivered or confirmed any more.
        """
        if self._state == _OPEN:
            self._say_goodbye(None, timeout_s)
        if self._state != _OVER:
            if self._gone is None:
                self._gone = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._gone)

    def abort(self) -> None:
        """Drop the socket at once; what the kernel has not taken is gone."""
        self._end(None)

    async def _awaited(self, data: bytes, answer: int) -> Any:
        future = asyncio.get_running_loop().create_future()
        self._asked.append((answer, future))
        self._link.send(data)
        return await future

    def _closed_by_broker(self, method: Connection.Close) -> None:
        self._link.send(encode(Connection.CloseOk(), 0))
        self._link.flush()
        self._end(refusal(method, self.name))

    def _channel_closed(self, method: Channel.Close) -> None:
        self._link.send(encode(Channel.CloseOk(), 1))
        self._say_goodbye(refusal(method, self.name), _GOODBYE_S)

    def _consumer_cancelled(self, method: Basic.Cancel) -> None:
        self._say_goodbye(cancelled(method, self.name), _GOODBYE_S)

    def _goodbye_taken(self, _: Connection.CloseOk) -> None:
        if self._state != _CLOSING:
            raise Garbage("a goodbye that answers none")
        self._end(None)

    def _blocked(self, method: Frame) -> None:
        blocked = isinstance(method, Connection.Blocked)
        if blocked != self.blocked:
            self.blocked = blocked
            self.blocking(blocked)

    def _say_goodbye(self, error: BrokerError | None, timeout_s: float) -> None:
        self._link.send(encode(Connection.Close(200, "goodbye", 0, 0), 0))
        self._link.linger(timeout_s)
        self._stop(_CLOSING, error)
        if error is not None:
            self.ended(error)

    def _end(self, error: BrokerError | None) -> None:
        """It is over; `error` is told unless another end was told or asked for before."""
        if self._state != _OVER:
            asked = self._state == _CLOSING
            self._stop(_OVER, error)
            self._link.drop()
            if self._gone is not None:
                self._gone.set_result(None)
            self.ended(None if asked else error)

    def _stop(self, state: int, error: BrokerError | None) -> None:
        self._state = state
        if self._error is None:
            self._error = error or BrokerError(f"The connection of {shown(self.name)} was closed here: open a new one.")
        waiting, self._asked = self._asked, []
        for _, future in waiting:
            if future is not None and not future.done():
                future.set_exception(self._error)


_REACTIONS: dict[int, Callable[[Session, Any], None]] = {
    Connection.Close.index: Session._closed_by_broker,
    Connection.CloseOk.index: Session._goodbye_taken,
    Connection.Blocked.index: Session._blocked,
    Connection.Unblocked.index: Session._blocked,
    Channel.Close.index: Session._channel_closed,
    Basic.Cancel.index: Session._consumer_cancelled,
}
_LAST = (Connection.Close.index, Connection.CloseOk.index)


def _answer(method: Frame) -> int:
    """The index of the method that answers; 0 when none does."""
    if isinstance(method, Connection.TuneOk):
        return 0
    return Connection.Tune.index if isinstance(method, Connection.StartOk) else method.index + 1


def _channel(method: Frame) -> int:
    return 0 if method.name.startswith("Connection.") else 1
