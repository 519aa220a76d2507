"""One call, cast or fanout of a play, from its sending on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rpcscope.emulator.level import Level
    from rpcscope.emulator.play import Play
    from rpcscope.emulator.process import Process
    from rpcscope.emulator.score import Node

TIMEOUT = "MessagingTimeout"
UNDELIVERED = "MessageUndeliverable"
GONE = "HostGone"
"""Of what a host took with it, or what was sent to one that is gone. No class of nova's: nobody would answer."""


class Rpc:
    """Known to its caller, and to the process that takes it."""

    __slots__ = (
        "answer", "caller", "expected", "heard_s", "host", "is_waiting", "left", "level", "msg_id", "node", "play",
        "position", "reply_q", "sent_s", "taken", "unique_id",
    )  # fmt: skip

    def __init__(self, play: Play, level: Level, node: Node, position: int, caller: Process, host: str) -> None:
        """`position`: of the step among its siblings in `level`; `host` it is addressed to, "" for anybody."""
        self.play, self.level, self.node, self.position, self.caller, self.host = (
            play, level, node, position, caller, host
        )  # fmt: skip
        self.unique_id = self.msg_id = self.reply_q = b""
        self.sent_s = self.heard_s = 0.0
        self.is_waiting = node.is_call  # for its reply
        self.taken = False  # by one of our processes at least
        self.expected = False  # its play waits for one of ours to take it
        self.left = 1  # deliveries to come
        self.answer = ""  # class of the failure that one of ours answered with

    def on_sent(self, arrived: bool) -> None:
        """The broker has it. Who casts goes on; who calls waits for the reply."""
        if not self.node.is_call:
            self.level.child_over(self.position, "" if arrived else UNDELIVERED)

    def on_answer(self, failure: str) -> None:
        """The reply that ends the call has come."""
        self.is_waiting = False
        self.caller.stage.tally.answered[self.node.method] += 1
        self.level.child_over(self.position, failure)

    def due_s(self) -> float:
        """When the caller's patience ends."""
        due = self.sent_s + self.node.timeout_s
        return due if self.node.monitor_s is None else min(due, self.heard_s + self.node.monitor_s)

    def on_timeout(self) -> None:
        """The caller gives up. A server that has it works on, and answers in vain."""
        self.is_waiting = False
        stage = self.caller.stage
        stage.tally.expired[self.node.method] += 1
        self.caller.pending.pop(self.msg_id, None)
        if not self.taken:
            stage.on_the_way.pop(self.unique_id, None)  # the broker drops what has expired
            self.release()
        self.play.timed_out = True
        self.level.child_over(self.position, TIMEOUT)

    def give_up(self) -> None:
        """Its caller is dead, and by now nobody will take it who has not."""
        if not self.taken and self.caller.stage.on_the_way.pop(self.unique_id, None) is not None:
            self.lose()

    def release(self) -> None:
        """Its play waits no more for somebody to take it."""
        if self.expected:
            self.expected = False
            self.play.leave()

    def lose(self) -> None:
        """Nobody is left who would take it."""
        self.play.failure = self.play.failure or GONE
        self.caller.stage.tally.lost += 1
        self.release()
