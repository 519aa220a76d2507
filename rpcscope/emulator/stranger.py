"""Messages of others: a real oslo.messaging client that calls an emulated server, a real server that answers us."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rpcscope import safe
from rpcscope.decode.args import display_method
from rpcscope.decode.body import failure_class, open_body, parse
from rpcscope.emulator import envelope, slots
from rpcscope.emulator.content import Content
from rpcscope.emulator.handling import MISSING_PAUSE_S, MISSING_QUEUE_S, SENT, failed
from rpcscope.emulator.ids import ID_SIZE
from rpcscope.errors import DecodeError
from rpcscope.templates.sample import draw

if TYPE_CHECKING:
    import asyncio

    from rpcscope.emulator.process import Process
    from rpcscope.emulator.score import Node

_MARKS = (slots.UNIQUE, slots.MSG)
UNKNOWN = "RemoteError"
"""Stands for a failure whose class has no name of a class."""
_ID = re.compile(rf"[0-9a-zA-Z]{{{ID_SIZE}}}")
_QUEUE = re.compile(r"[\x20-\x7e]{0,255}")


class Asked(NamedTuple):
    """What a request of somebody else says; "" of what it does not."""

    method: str
    msg_id: str
    reply_q: str
    monitor_s: int | None


def open_request(body: bytes) -> Asked | None:
    """A request, cast or fanout; None for what is no oslo.messaging message, or can not be answered."""
    try:
        inner = open_body(body)
    except DecodeError:
        return None
    msg_id, reply_q = inner.msg_id or "", inner.reply_q or ""
    if not isinstance(msg_id, str) or not isinstance(reply_q, str) or not isinstance(inner.method, str):
        return None
    if (msg_id and not _ID.fullmatch(msg_id)) or not _QUEUE.fullmatch(reply_q):
        return None
    monitor_s = inner.timeout if type(inner.timeout) is int and inner.timeout > 0 else None
    return Asked(display_method(safe.method(inner.method), parse(inner.args)), msg_id, reply_q, monitor_s)


def open_reply(body: bytes) -> tuple[bytes, bool, str]:
    """The message id of somebody else's reply, whether it ends the call, the class of the failure or ""."""
    try:
        inner = open_body(body)
    except DecodeError:
        return b"", True, ""
    msg_id = inner.msg_id if isinstance(inner.msg_id, str) else ""
    failure = inner.failure is not None and (safe.method(failure_class(inner.failure)) or UNKNOWN)
    return msg_id.encode("utf-8", "surrogatepass"), inner.ending is not False, failure or ""


class Guest:
    """Somebody else's message in hand: it takes the time that the templates know for its method, and is answered."""

    __slots__ = ("_answer", "_asked", "_beat", "_gives_up_s", "_node", "_process")

    def __init__(self, process: Process, routing_key: bytes, body: bytes) -> None:
        self._process, self._asked = process, open_request(body)
        topic = routing_key.decode("utf-8", "replace").partition(".")[0]
        self._node: Node | None = process.plug.repertoire(topic, self._asked.method) if self._asked else None
        self._beat: asyncio.TimerHandle | None = None
        self._answer: bytes | bytearray = b""
        self._gives_up_s = 0.0

    def start(self) -> None:
        """A thread is free."""
        stage = self._process.stage
        stage.tally.strangers += 1
        asked, node = self._asked, self._node
        if asked and asked.msg_id and asked.monitor_s:
            self._beat = stage.loop.call_later(asked.monitor_s / 2, self._heartbeat, asked.monitor_s / 2)
        work_s = draw(node.step.work, stage.rng) * node.work_factor if node else 0.0
        stage.loop.call_later(work_s, self._finish)

    def on_sent(self, arrived: bool) -> None:
        """The reply is confirmed, or came back."""
        stage = self._process.stage
        now = stage.loop.time()
        self._gives_up_s = self._gives_up_s or now + MISSING_QUEUE_S
        if arrived or now >= self._gives_up_s:
            stage.tally.lost_replies += not arrived
            self._process.executor.release(self)
        else:
            stage.loop.call_later(MISSING_PAUSE_S, self._send)

    def _finish(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
        asked, node, stage = self._asked, self._node, self._process.stage
        if asked is None or not asked.msg_id or not asked.reply_q:
            self._process.executor.release(self)
            return
        marks = stage.manner.slots
        if node is None:
            self._answer = self._reply(Content(envelope.reply(marks, 0), marks, _MARKS))
        elif node.step.failure:
            self._answer = self._reply(failed(marks, node.step.failure))
        else:
            self._answer = self._reply(node.reply(stage.rng))
        self._send()

    def _send(self) -> None:
        self._process.publish(self._answer, self)

    def _heartbeat(self, every_s: float) -> None:
        stage = self._process.stage
        self._beat = stage.loop.call_later(every_s, self._heartbeat, every_s)
        stage.tally.heartbeats += 1
        marks = stage.manner.slots
        self._process.publish(self._reply(Content(envelope.heartbeat(marks), marks, _MARKS)), SENT)

    def _reply(self, content: Content) -> bytearray:
        assert self._asked is not None  # noqa: S101 - for the type checker: only what can be answered comes here
        stage = self._process.stage
        method = stage.method("", self._asked.reply_q, True)
        return content.sent_with(method, (stage.ids.take(), self._asked.msg_id.encode()))
