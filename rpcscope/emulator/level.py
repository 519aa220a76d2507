"""Steps that follow from one event: the roots of a play, or what a server does about one message.

begin --delay--> child 0 --answered--> delay --> child 1 (after 0)
      --delay--> child 2 (after -1)
all over --> level_over
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rpcscope.emulator.rpc import GONE
from rpcscope.flows.world import Refused
from rpcscope.templates.sample import draw

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from rpcscope.emulator.play import Play
    from rpcscope.emulator.process import Process
    from rpcscope.emulator.score import Node
    from rpcscope.emulator.stage import Stage

HALF_TICK_S = 0.0005
"""The loop wakes at whole milliseconds, rounded up: asked for half of one earlier, it is early as often as late."""


class Level(ABC):
    """Base of `play.Opening` and `handling.Handling`."""

    __slots__ = ("_debt_s", "_repeating", "active", "children", "dead", "failure", "first", "next", "play", "stage")

    def __init__(
        self, stage: Stage, play: Play, children: Sequence[Node], first: list[int], following: list[list[int]]
    ):
        """`first` and `following` as `score.links` gives them."""
        self.stage, self.play, self.children, self.first, self.next = stage, play, children, first, following
        self.active = 0  # steps that are due or not over
        self.failure = ""  # class of what ended it before its time
        self.dead = False  # its process is gone
        self._debt_s = 0.0  # what was waited too little so far
        self._repeating: dict[str, asyncio.TimerHandle] | None = None

    @abstractmethod
    def sender(self, node: Node) -> Process | None:
        """The process that sends a step; None when there is none."""

    @abstractmethod
    def level_over(self) -> None:
        """All steps are over."""

    def begin(self) -> None:
        """Send what waits for nothing else."""
        self.active += 1
        for position in self.first:
            self._schedule(position)
        self._less()

    def abort(self, failure: str) -> None:
        """Send nothing more; it is over when what is under way is."""
        self.failure = self.failure or failure
        self._stop_repeating()

    def child_over(self, position: int, failure: str) -> None:
        """A step was answered with a failure, or "" for none; or its cast is sent."""
        if self.dead:
            return
        if failure and failure != self.children[position].step.failure:
            self.abort(failure)
        if not self.failure:
            for following in self.next[position]:
                self._schedule(following)
        self._less()

    def later(self, wait_s: float, then: Callable[..., None], *arguments: object) -> None:
        """Call after a time that is recorded; of many short ones, the sum is kept."""
        wait_s += self._debt_s
        if wait_s < HALF_TICK_S:
            self._debt_s = max(wait_s, -HALF_TICK_S)
            then(*arguments)
            return
        due = self.stage.loop.time() + wait_s
        self.stage.loop.call_at(due - HALF_TICK_S, self._woken, due, then, arguments)

    def _woken(self, due: float, then: Callable[..., None], arguments: tuple[object, ...]) -> None:
        if not self.dead:
            self._debt_s = max(-HALF_TICK_S, min(HALF_TICK_S, due - self.stage.loop.time()))
            then(*arguments)

    def _less(self) -> None:
        self.active -= 1
        if not self.active and not self.dead:
            self.level_over()

    def _schedule(self, position: int) -> None:
        node = self.children[position]
        step = node.step
        self.active += 1
        if step.wait and step.repeats_s is None:
            wait = self.play.waits.get(step.wait)
            self._start_repeating(step.wait, 1.0 if wait is None else self.stage.speed)
            if wait is not None:
                self.stage.spawn(self._wait(wait, position))
                return
        self.later(draw(step.delay, self.stage.rng) * node.delay_factor, self._send, position)

    async def _wait(self, wait: Callable[[], Awaitable[None]], position: int) -> None:
        try:
            await wait()
        except Refused as refused:
            if not self.dead:
                self.abort(str(refused) or Refused.__name__)
                self._less()
        else:
            if not self.dead:
                self._send(position)

    def _send(self, position: int) -> None:
        node = self.children[position]
        if self._repeating and node.step.repeats_s is None and node.step.wait:
            self._stop_repeating()
        process = None if self.failure else self.sender(node)
        if process is not None:
            process.send(self, node, position)
            return
        if not self.failure:
            self.stage.tally.lost += 1
            self.abort(GONE)
        self._less()

    def _start_repeating(self, wait: str, speed: float) -> None:
        for position, node in enumerate(self.children):
            step = node.step
            if step.repeats_s is None or step.wait != wait:
                continue
            if step.after < 0 or self.children[step.after].step.repeats_s is None:
                self._repeating = self._repeating or {}
                every_s = step.repeats_s / speed
                self._repeating[f"{wait} {position}"] = self.stage.loop.call_later(
                    every_s, self._repeat, f"{wait} {position}", position, every_s
                )

    def _repeat(self, key: str, position: int, every_s: float) -> None:
        if self.dead or self._repeating is None:
            return
        self._repeating[key] = self.stage.loop.call_later(every_s, self._repeat, key, position, every_s)
        self.active += 1
        self._send(position)

    def _stop_repeating(self) -> None:
        for timer in (self._repeating or {}).values():
            timer.cancel()
        self._repeating = None
