"""The course of a soak: legs at a steady rate, and between two of them a recorder that can not keep up.

    leg | planted | leg | planted | leg

After each comes a fence: what the store holds by then is compared with what was sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple

from benchmarks.soaking.ground import Ground
from benchmarks.soaking.memory import MemoryWatch, Reading
from rpcscope.model import Counters, Gap

LEG = "leg"
HOW: dict[str, Callable[[Ground], AbstractContextManager[None]]] = {
    "stopped": Ground.stopped,
    "store held": Ground.store_held,
}
"""Ways to keep a recorder from keeping up."""
PREFETCH = 5_000  # events that a recorder may read ahead; the bound of its queue counts from there
EVENTS = {"control": 1.5, "full": 2.0}  # of a message of the recordings
LOST_S = 3  # of traffic that a planted stall is to lose, at the least: markers are sent once a second
AFTER_S = 2
READINGS = 700


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do."""

    seconds: float  # of all legs
    rate: int  # messages a second
    mode: str
    queue_limit: int  # events, while a stall is planted
    planted: tuple[str, ...]  # of HOW


class Totals(NamedTuple):
    """Of sender and store."""

    sent: int = 0  # messages
    stored: int = 0
    copies_sent: int = 0  # as far as the mode sees them
    copies_stored: int = 0

    def since(self, before: Totals) -> Totals:
        """What came after `before`."""
        return Totals(*(now - then for now, then in zip(self, before, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A leg, or a planted stall with some seconds after it."""

    name: str  # LEG, or one of HOW
    count: Totals
    gaps: tuple[Gap, ...]  # told of in its time
    late_s: float  # the sender behind its own clock, at most
    lag_s: float  # the recorder behind, at most, by its own word; 0.0 of a stall

    @property
    def lost(self) -> int:
        """Messages that are not in the store."""
        return self.count.sent - self.count.stored

    @property
    def estimate(self) -> int | None:
        """Messages that the recorder says it missed; None when it can not tell."""
        told = [gap.estimate for gap in self.gaps if gap.estimate is not None]
        return sum(told) if told else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came out."""

    parts: tuple[Part, ...]
    counters: Counters
    memory: tuple[Reading, ...]
    rpcs_sent: int  # calls, casts and fanouts
    rpcs: int
    database_mb: float

    @property
    def legs(self) -> list[Part]:
        """Those in which nothing may be lost."""
        return [part for part in self.parts if part.name == LEG]

    @property
    def stalls(self) -> list[Part]:
        """Those in which something is."""
        return [part for part in self.parts if part.name != LEG]


class Soak:
    """One run on a ground of its own."""

    def __init__(self, ground: Ground, plan: Plan, say: Callable[[str], None]) -> None:
        """Nothing is sent yet. `say` takes a line about each part."""
        self._ground, self._plan, self._say = ground, plan, say
        self._before, self._gaps, self._rpcs = Totals(), 0, 0

    def run(self) -> Result:
        """All parts in turn."""
        ground, plan = self._ground, self._plan
        leg_s = plan.seconds / (len(plan.planted) + 1)
        with MemoryWatch(ground.recorder.process.pid, max(0.2, plan.seconds / READINGS)) as memory:
            parts = [self._leg(leg_s)]
            for how in plan.planted:
                parts += [self._stall(how), self._leg(leg_s)]
        return Result(
            parts=tuple(parts), counters=ground.counters(), memory=tuple(memory.readings), rpcs_sent=self._rpcs,
            rpcs=ground.rpcs(), database_mb=ground.reader.status().size_bytes / 2**20,
        )  # fmt: skip

    def _leg(self, seconds: float) -> Part:
        sender, rate = self._ground.sender, self._plan.rate
        lag_s, began_ns, ends = 0.0, time.time_ns(), time.monotonic() + seconds
        sender.tell(messages=round(seconds * rate), rate=rate)
        while (left := ends - time.monotonic()) > 0 and sender.is_alive:
            time.sleep(min(left, 1.0))
            lag_s = max(lag_s, self._ground.lag_s(began_ns))
        return self._part(LEG, sender.answer(), lag_s)

    def _stall(self, how: str) -> Part:
        """Some seconds of traffic come after it, as they do."""
        sender, plan = self._ground.sender, self._plan
        bound = round((PREFETCH + plan.queue_limit) / EVENTS[plan.mode])
        with self._ground.bounded(plan.queue_limit), HOW[how](self._ground):
            sender.ask(messages=bound + LOST_S * plan.rate, rate=plan.rate)
        return self._part(how, sender.ask(messages=AFTER_S * plan.rate, rate=plan.rate), 0.0)

    def _part(self, name: str, report: dict[str, Any], lag_s: float) -> Part:
        """What came since the fence before. Sender and store tell totals."""
        ground = self._ground
        ground.wait_for(report["fence"])
        stored, gaps = ground.counters(), ground.gaps()
        now = Totals(report["messages"], stored.messages, report[f"{self._plan.mode}_copies"], stored.copies)
        part = Part(
            name=name, count=now.since(self._before), gaps=tuple(gaps[self._gaps :]), late_s=report["late_s"],
            lag_s=lag_s,
        )  # fmt: skip
        self._before, self._gaps, self._rpcs = now, len(gaps), report["rpcs"]
        self._say(
            f"{name}: {part.count.sent:,} messages sent, {part.count.stored:,} stored, {len(part.gaps)} gaps told"
        )
        return part
