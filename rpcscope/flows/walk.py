"""Walks the tree of an operation in virtual time: when each RPC is sent, answered and over.

Most of a tree is arithmetic. Only where a flow takes the place of a step's delay (a memory copy) does the walk wait
for the world.

    parent delivered --delay--> call sent = delivered --...children...--work--> reply -> next sibling
                     --delay--> cast sent -> next sibling
                                         \\--> handled by itself, until the operation is over
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection
from dataclasses import dataclass, field

from rpcscope.flows.tally import Tally
from rpcscope.flows.world import Asked, World
from rpcscope.templates.model import DEST, SOURCE, Step
from rpcscope.templates.sample import draw, draw_size


@dataclass(frozen=True, slots=True)
class Spell:
    """Times of a step or of several, in s of the world."""

    end: float  # when who waits for it goes on: a call's reply, a cast's publish
    over: float  # when all that it caused is over


@dataclass(slots=True, kw_only=True)
class Walk:
    """One operation under way."""

    asked: Asked
    world: World
    tally: Tally
    rng: random.Random
    down: Collection[str] = ()  # hosts that answer nothing
    timed_out: bool = False
    lost: bool = False  # a cast went to a host that is down
    _awaiting: dict[int, bool] = field(default_factory=dict)

    async def level(self, steps: tuple[Step, ...], at: float) -> Spell:
        """Steps that follow from one delivery at a time; ends with the last of them. Raises what waits raise."""
        if not any(self._awaits(step) for step in steps):
            return self._reckon(steps, at)
        lasted: dict[str, float] = {}
        spells: list[Spell | asyncio.Task[Spell]] = []
        try:
            async with asyncio.TaskGroup() as group:
                for step in steps:
                    before = spells[step.after] if step.after >= 0 else Spell(at, at)
                    if isinstance(before, Spell) and not self._awaits(step):
                        spells.append(self._begun(step, before.end, lasted))
                    else:
                        spells.append(group.create_task(self._step(step, before, lasted)))
        finally:
            self._repeat(steps, lasted)
        return _together([one if isinstance(one, Spell) else one.result() for one in spells], at)

    async def _step(self, step: Step, before: Spell | asyncio.Task[Spell], lasted: dict[str, float]) -> Spell:
        """One that waits for the flow, or for a sibling that does."""
        base = before.end if isinstance(before, Spell) else (await before).end
        if not self._awaits(step):
            return self._begun(step, base, lasted)
        sent = await self._wait(step, base, lasted)
        if not any(self._awaits(child) for child in step.steps):
            return self._handled(step, sent)
        self._count(step)
        below = await self.level(step.steps, sent)
        return self._answered(step, sent, below)

    async def _wait(self, step: Step, base: float, lasted: dict[str, float]) -> float:
        """When a step is sent whose delay may be the flow's own wait."""
        waits = self.asked.waits or {}
        if step.wait not in waits:
            return base + draw(step.delay, self.rng)
        await self.world.sleep(max(0.0, base - self.world.now_s()))
        try:
            await waits[step.wait]()
        finally:
            lasted[step.wait] = self.world.now_s() - base
        return self.world.now_s()

    def _reckon(self, steps: tuple[Step, ...], at: float) -> Spell:
        """The same where nothing waits for the flow."""
        spells: list[Spell] = []
        lasted: dict[str, float] = {}
        for step in steps:
            spells.append(self._begun(step, at if step.after < 0 else spells[step.after].end, lasted))
        self._repeat(steps, lasted)
        return _together(spells, at)

    def _begun(self, step: Step, base: float, lasted: dict[str, float]) -> Spell:
        if step.repeats_s is not None:
            return Spell(base, base)
        delay = draw(step.delay, self.rng)
        if step.wait:
            lasted[step.wait] = delay
        return self._handled(step, base + delay)

    def _repeat(self, steps: tuple[Step, ...], lasted: dict[str, float]) -> None:
        """Count what was sent again and again during a wait; nobody waits for it, so its times do not matter."""
        for step in steps:
            if step.repeats_s:
                for _ in range(int(lasted.get(step.wait, 0.0) / step.repeats_s)):
                    self._handled(step, 0.0)

    def _handled(self, step: Step, sent: float) -> Spell:
        self._count(step)
        if self._host(step) in self.down:
            return self._unheard(step, sent)
        return self._answered(step, sent, self._reckon(step.steps, sent))

    def _answered(self, step: Step, sent: float, below: Spell) -> Spell:
        over = max(below.over, worked := below.end + draw(step.work, self.rng))
        if step.kind != "call":
            return Spell(sent, over)
        self.tally.replied(self.asked.kind, step, draw_size(step.reply, self.rng))
        if worked - sent > step.timeout_s:
            self.timed_out = True
            return Spell(sent + step.timeout_s, over)
        return Spell(worked, over)

    def _count(self, step: Step) -> None:
        self.tally.sent(self.asked.kind, step, draw_size(step.request, self.rng))

    def _unheard(self, step: Step, sent: float) -> Spell:
        if step.kind == "call":
            self.timed_out = True
            return Spell(sent + step.timeout_s, sent + step.timeout_s)
        self.lost = True
        return Spell(sent, sent)

    def _host(self, step: Step) -> str:
        return {SOURCE: self.asked.source, DEST: self.asked.dest}.get(step.host, "")

    def _awaits(self, step: Step) -> bool:
        """Whether a wait of the flow is in the step or below."""
        if not self.asked.waits:
            return False
        known = self._awaiting.get(id(step))
        if known is None:
            own = step.repeats_s is None and step.wait in self.asked.waits
            known = self._awaiting[id(step)] = own or any(map(self._awaits, step.steps))
        return known


def _together(spells: list[Spell], at: float) -> Spell:
    return Spell(max([at, *(spell.end for spell in spells)]), max([at, *(spell.over for spell in spells)]))
