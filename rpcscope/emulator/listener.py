"""What comes to the queues of a process: messages for its topics, replies to its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rpcscope.emulator import envelope
from rpcscope.emulator.envelope import MSG_AT, MSG_END, UNIQUE_AT, UNIQUE_END
from rpcscope.emulator.quiet import Quiet
from rpcscope.emulator.stranger import Guest, open_reply

if TYPE_CHECKING:
    from rpcscope.amqp import Connection
    from rpcscope.emulator.process import Process


class Listener(Quiet):
    """Of an RPC server. Acknowledges before it dispatches, as oslo.messaging does."""

    __slots__ = ("_on_the_way", "_process")

    def __init__(self, process: Process) -> None:
        super().__init__(process.stage.fail)
        self._process, self._on_the_way = process, process.stage.on_the_way

    def on_delivery(
        self, connection: Connection, consumer: int, tag: int, exchange: bytes, routing_key: bytes,
        redelivered: bool, properties: bytes, body: bytes,
    ) -> None:  # fmt: skip
        """A request, cast or fanout; most are our own."""
        connection.ack(tag)
        rpc = self._on_the_way.get(body[UNIQUE_AT:UNIQUE_END])
        if rpc is not None:
            self._process.take(rpc)
        else:
            self._process.executor.submit(Guest(self._process, routing_key, body))


class Replies(Quiet):
    """Of the reply queue."""

    __slots__ = ("_process",)

    def __init__(self, process: Process) -> None:
        super().__init__(process.stage.fail)
        self._process = process

    def on_delivery(
        self, connection: Connection, consumer: int, tag: int, exchange: bytes, routing_key: bytes,
        redelivered: bool, properties: bytes, body: bytes,
    ) -> None:  # fmt: skip
        """A reply or a heartbeat; of one of ours, or of a real server."""
        connection.ack(tag)
        pending = self._process.pending
        ours = envelope.is_our_reply(body)
        if ours:
            msg_id, ending, failure = body[MSG_AT:MSG_END], envelope.is_ending(body), ""
        else:
            msg_id, ending, failure = open_reply(body)
        rpc = pending.get(msg_id)
        if rpc is None:
            self._process.stage.tally.late_replies += ending
        elif ending:
            del pending[msg_id]
            rpc.on_answer(rpc.answer if ours else failure)
        else:
            rpc.heard_s = self._process.stage.loop.time()


class Single(Quiet):
    """Of a process reduced to one connection: its listener, its replies and its sending in one."""

    __slots__ = ("_listener", "_process", "_replies", "replies")

    def __init__(self, process: Process) -> None:
        super().__init__(process.stage.fail)
        self._process = process
        self._listener, self._replies = Listener(process), Replies(process)
        self.replies = 0  # number of the consumer of the reply queue

    def on_delivery(
        self, connection: Connection, consumer: int, tag: int, exchange: bytes, routing_key: bytes,
        redelivered: bool, properties: bytes, body: bytes,
    ) -> None:  # fmt: skip
        """To whom it is for."""
        take = self._replies if consumer == self.replies else self._listener
        take.on_delivery(connection, consumer, tag, exchange, routing_key, redelivered, properties, body)

    def on_confirm(self, connection: Connection, tag: int, multiple: bool, ack: bool) -> None:
        """The pool's."""
        self._process.pool.on_confirm(connection, tag, multiple, ack)

    def on_return(self, connection: Connection, reply_code: int, routing_key: bytes, body: bytes) -> None:
        """The pool's."""
        self._process.pool.on_return(connection, reply_code, routing_key, body)
