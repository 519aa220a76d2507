"""One operation, played from its roots to the end of its last step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from rpcscope.emulator import slots
from rpcscope.emulator.level import Level
from rpcscope.emulator.score import Node, Score

if TYPE_CHECKING:
    from rpcscope.emulator.process import Process
    from rpcscope.emulator.stage import Stage
    from rpcscope.flows.world import Asked

Chosen = Callable[[Node, Mapping[str, str]], "Process | None"]


class Play:
    """Counts what is open; `over` has a result once nothing is."""

    __slots__ = ("_open", "_values", "failure", "hosts", "over", "request_id", "timed_out", "waits")

    def __init__(self, stage: Stage, asked: Asked, hosts: Mapping[str, str]) -> None:
        """`hosts`: by role."""
        self.request_id = f"req-{stage.ids.uuid()}"
        self.hosts = hosts
        self.waits: Mapping[str, Callable[[], Awaitable[None]]] = asked.waits or {}
        self.over: asyncio.Future[None] = stage.loop.create_future()
        self.failure = ""  # class of what made it fail
        self.timed_out = False
        self._open = 0
        source = stage.manner.slots.host(hosts.get("source"))
        self._values = [
            b"",
            b"",
            b"",
            self.request_id.encode(),
            source,
            b"",
            *(one.encode() for one in asked.instances),
        ]

    def values(self, unique_id: bytes, msg_id: bytes, process: Process, stale: bool) -> list[bytes]:
        """What goes to the places of a request that a process sends."""
        found = self._values.copy()
        found[slots.UNIQUE], found[slots.MSG], found[slots.REPLY_Q] = unique_id, msg_id, process.reply_q
        found[slots.SENDER] = process.host_slot
        if stale:
            found[slots.REQUEST] = process.started_as
        return found

    def enter(self) -> None:
        """Something of it begins."""
        self._open += 1

    def leave(self) -> None:
        """Something of it is over."""
        self._open -= 1
        if not self._open and not self.over.done():
            self.over.set_result(None)


class Opening(Level):
    """The roots of a play: an API's requests, a timer's."""

    __slots__ = ("_choose",)

    def __init__(self, stage: Stage, play: Play, score: Score, choose: Chosen) -> None:
        """`choose` gives the process that sends a root."""
        super().__init__(stage, play, score.roots, score.first, score.next)
        self._choose = choose
        play.enter()

    def sender(self, node: Node) -> Process | None:
        """Who sends a root."""
        return self._choose(node, self.play.hosts)

    def level_over(self) -> None:
        """All roots are sent, and answered where they are calls."""
        self.play.failure = self.play.failure or self.failure
        self.play.leave()
