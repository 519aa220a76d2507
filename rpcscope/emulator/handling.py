"""What a process does about one message: the RPCs it causes, its own work, the reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rpcscope.emulator import envelope, slots
from rpcscope.emulator.content import Content
from rpcscope.emulator.level import Level
from rpcscope.emulator.rpc import GONE
from rpcscope.emulator.slots import Slots
from rpcscope.templates.sample import draw

if TYPE_CHECKING:
    import asyncio

    from rpcscope.emulator.process import Process
    from rpcscope.emulator.rpc import Rpc
    from rpcscope.emulator.score import Node

MISSING_QUEUE_S, MISSING_PAUSE_S = 60.0, 0.25  # kombu_missing_consumer_retry_timeout; amqpdriver.py's pause
_NOTHING: list[Node] = []
_MARKS = (slots.UNIQUE, slots.MSG)


class Handling(Level):
    """Has one thread of its process, from `start` until its reply is confirmed."""

    __slots__ = ("_asked_s", "_beat", "_counted", "_frames", "_gives_up_s", "_since_s", "process", "rpc")

    def __init__(self, process: Process, rpc: Rpc, *, echo: bool, counted: bool) -> None:
        """`echo`: another copy of a fanout, that causes nothing. `counted`: its play waits for its end."""
        node = rpc.node
        children, first, following = (_NOTHING, [], []) if echo else (node.children, node.first, node.next)
        super().__init__(process.stage, rpc.play, children, first, following)
        self.process, self.rpc, self._counted = process, rpc, counted
        self._beat: asyncio.TimerHandle | None = None
        self._frames: bytes | bytearray = b""
        self._asked_s = self._since_s = self._gives_up_s = 0.0

    def sender(self, node: Node) -> Process | None:
        """The process itself."""
        return self.process

    def start(self) -> None:
        """A thread is free."""
        monitor_s = self.rpc.node.monitor_s
        if monitor_s is not None:
            self._beat = self.stage.loop.call_later(monitor_s / 2, self._heartbeat, monitor_s / 2)
        if self.first:
            self.begin()
        else:
            self.level_over()

    def level_over(self) -> None:
        """What it caused is over; now its own work."""
        node = self.rpc.node
        self._since_s = self.stage.loop.time()
        self._asked_s = 0.0 if self.failure else draw(node.step.work, self.stage.rng) * node.work_factor
        self.later(self._asked_s, self._finish)

    def drop(self) -> None:
        """Its process is gone."""
        self.dead = True
        self._stop_repeating()
        self._end_beat()
        self.play.failure = self.play.failure or GONE
        self.stage.tally.lost += 1
        self._leave()

    def on_sent(self, arrived: bool) -> None:
        """The reply is confirmed; a reply that came back is tried again, with the thread held."""
        if self.dead:
            return
        if arrived:
            self._done()
            return
        now = self.stage.loop.time()
        self._gives_up_s = self._gives_up_s or now + MISSING_QUEUE_S
        if now < self._gives_up_s:
            self.stage.loop.call_later(MISSING_PAUSE_S, self._send_reply)
        else:
            self.stage.tally.lost_replies += 1
            self._done()

    def _finish(self) -> None:
        node, rpc = self.rpc.node, self.rpc
        self._end_beat()
        self.stage.tally.handled(node.method, self._asked_s, self.stage.loop.time() - self._since_s)
        if not node.is_call:
            self.play.failure = self.play.failure or self.failure
            self._done()
            return
        rpc.answer = self.failure or node.step.failure
        content = self._failed(self.failure) if self.failure else node.reply(self.stage.rng)
        method = self.stage.method("", rpc.reply_q.decode(), True)
        self._frames = content.sent_with(method, (self.stage.ids.take(), rpc.msg_id))
        self._send_reply()

    def _send_reply(self) -> None:
        if not self.dead:
            self.process.publish(self._frames, self)

    def _done(self) -> None:
        self.process.executor.release(self)
        self._leave()

    def _leave(self) -> None:
        if self._counted:
            self._counted = False
            self.play.leave()

    def _failed(self, failure: str) -> Content:
        return failed(self.stage.manner.slots, failure)

    def _heartbeat(self, every_s: float) -> None:
        if self.dead:
            return
        self._beat = self.stage.loop.call_later(every_s, self._heartbeat, every_s)
        method = self.stage.method("", self.rpc.reply_q.decode(), True)
        frames = heartbeat(self.stage.manner.slots).sent_with(method, (self.stage.ids.take(), self.rpc.msg_id))
        self.stage.tally.heartbeats += 1
        self.process.publish(frames, SENT)

    def _end_beat(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None


class _Sent:
    def on_sent(self, arrived: bool) -> None:
        """Nobody waits for it."""


SENT = _Sent()
"""Of a publish that nobody waits for."""


def failed(marks: Slots, failure: str) -> Content:
    """A reply with a failure that no template has."""
    return Content(envelope.reply(marks, 0, failure), marks, _MARKS)


def heartbeat(marks: Slots) -> Content:
    """The heartbeat of a call."""
    return Content(envelope.heartbeat(marks), marks, _MARKS)
