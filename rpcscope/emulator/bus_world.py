"""The World of rpcscope.flows on a broker: every RPC is played, by the wall's clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Self

from rpcscope.emulator import fds
from rpcscope.emulator.background import Background
from rpcscope.emulator.cloud import Cloud, Progress
from rpcscope.emulator.play import Opening, Play
from rpcscope.emulator.sampling import sample
from rpcscope.emulator.score import Manner, Score
from rpcscope.emulator.slots import UUID_SIZE, Slots
from rpcscope.emulator.stage import Stage
from rpcscope.emulator.tally import Tally
from rpcscope.emulator.vhost import OwnVhost
from rpcscope.errors import BrokerError, UsageError
from rpcscope.fleet.model import Control
from rpcscope.flows.world import Answer, Asked, Ended
from rpcscope.templates.model import DEST, SOURCE, Template

SAMPLE_S = 1.0
STARTUP = "startup:"
"""Kinds of templates that a host plays when it starts."""


class BusWorld:
    """An asynchronous context manager: entered, all services run; left, they are gone.

    Raises BrokerError from whatever waits for it once the broker dies, blocks or refuses.
    """

    def __init__(
        self,
        own: OwnVhost,
        hosts: Iterable[str],
        templates: Iterable[Template],
        *,
        control: Control | None = None,
        speed: float = 1.0,
        seed: int = 1,
        progress: Progress | None = None,
    ) -> None:
        """Nothing is started yet.

        `own` is entered. `speed`: seconds of the world in one of the wall's clock; it shortens what flows wait for and
        the intervals of periodic tasks, never service times nor RPC timeouts. Templates that are `background` with an
        interval run on every host, unless `control.background` is off. `progress` hears of the start.
        """
        self._own, self._hosts, self._templates = own, list(dict.fromkeys(hosts)), list(templates)
        self._control, self._speed, self._seed = control or Control(), speed, seed
        self._progress = progress
        self._known = set(self._hosts)
        self._sleepers: set[asyncio.Future[None]] = set()

    @property
    def tally(self) -> Tally:
        """What happened so far."""
        return self._stage.tally

    @property
    def vhost(self) -> str:
        """Where it plays."""
        return self._own.name

    @property
    def connections(self) -> int:
        """Opened so far."""
        return self._cloud.connections

    async def __aenter__(self) -> Self:
        """Start all services. Raises BrokerError when they do not come up, UsageError for too many hosts."""
        fds.check(self._control, len(self._hosts))
        loop = asyncio.get_running_loop()
        longest = max((len(host.encode()) for host in self._hosts), default=0)
        manner = Manner(self._control, Slots(max(longest, 32)))
        self._stage = Stage(loop, manner, speed=self._speed, seed=self._seed)
        self._stage.ended.append(self._wake)
        self._scores = {(one.kind, _servers(one)): _compiled(one, manner) for one in self._templates}
        nodes = [node for scores in self._scores.values() for score in scores for node in score.nodes()]
        for node in nodes:
            node.check()
        self._cloud = Cloud(self._own, self._stage, nodes)
        self._started = loop.time()
        self._background = Background(loop, self.now_s, self._speed, self._run_background)
        self._background.know(self._background_templates(), self._seed)
        try:
            await self._cloud.start(self._hosts, self._progress)
        except BaseException:
            await self._end()
            raise
        self._started = loop.time()
        self._stage.spawn(self._look())
        for host in self._hosts:
            self._background.begin(host, fresh=False)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End all services."""
        await self._end()

    def now_s(self) -> float:
        """Since all services run, in s of the world."""
        return (self._stage.loop.time() - self._started) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Let time of the world pass; how late it wakes is kept."""
        loop = self._stage.loop
        due = loop.time() + max(0.0, seconds) / self._speed
        sleeper: asyncio.Future[None] = loop.create_future()
        timer = loop.call_at(due, _wake, sleeper)
        await self._unless_it_ends(sleeper)
        timer.cancel()
        self.tally.late(max(0.0, loop.time() - due))

    async def operate(self, asked: Asked) -> Answer:
        """Play an operation to the end of its last step. Raises UsageError, BrokerError."""
        self._check(asked)
        self.tally.asked += 1
        answer = await self._play(asked)
        word = {Ended.DONE: "done", Ended.FAILED: "failed", Ended.TIMED_OUT: "timed_out"}[answer.ended]
        setattr(self.tally, word, getattr(self.tally, word) + 1)
        if answer.error:
            self.tally.errors[answer.error] += 1
        return answer

    async def add_host(self, host: str) -> None:
        """Start the services of a host; it plays what the templates know of a start. Raises BrokerError."""
        if len(host.encode()) > self._stage.manner.slots.host_size:
            raise UsageError(f"The name {host} is longer than those the cloud was started with: use a shorter one.")
        self._known.add(host)
        if self._cloud.has(host):
            return
        await self._cloud.add(host)
        for kind, servers in sorted(self._scores):
            if kind.startswith(STARTUP):
                unknown = [self._stage.ids.uuid() for _ in range(servers)]
                await self.operate(Asked(kind=kind, instances=unknown, source=host))
        self._background.begin(host, fresh=True)

    async def remove_host(self, host: str, *, cleanly: bool) -> None:
        """End them: cleanly, or as when power fails: what it had in hand is lost, calls to it time out."""
        self._background.end(host)
        await self._cloud.remove(host, cleanly=cleanly)

    async def _play(self, asked: Asked) -> Answer:
        self._raise_if_ended()
        score = self._drawn(asked)
        started_s = self.now_s()
        play = self._begun(asked, score)
        await self._unless_it_ends(play.over)
        failure = play.failure or score.variant.error
        ended = Ended.TIMED_OUT if play.timed_out else Ended.FAILED if failure else Ended.DONE
        return Answer(ended=ended, started_s=started_s, ended_s=self.now_s(), request_id=play.request_id, error=failure)

    def _run_background(self, kind: str, host: str) -> asyncio.Future[None]:
        self.tally.background += 1
        asked = Asked(kind=kind, instances=(), source=host)
        return self._begun(asked, self._drawn(asked)).over

    def _drawn(self, asked: Asked) -> Score:
        scores = self._scores[asked.kind, len(asked.instances)]
        if len(scores) == 1:
            return scores[0]
        return self._stage.rng.choices(scores, [score.variant.share for score in scores])[0]

    def _begun(self, asked: Asked, score: Score) -> Play:
        hosts = {role: name for role, name in ((SOURCE, asked.source), (DEST, asked.dest)) if name}
        play = Play(self._stage, asked, hosts)
        Opening(self._stage, play, score, self._cloud.sender).begin()
        return play

    def _check(self, asked: Asked) -> None:
        scores = self._scores.get((asked.kind, len(asked.instances)))
        if scores is None:
            known = sorted(f"{kind} of {servers} servers" for kind, servers in self._scores)
            raise UsageError(
                f"There is no template of {asked.kind} of {len(asked.instances)} servers: use {', '.join(known)}."
            )
        if wrong := [one for one in asked.instances if len(one.encode()) != UUID_SIZE]:
            raise UsageError(f"A server is named by its uuid, {UUID_SIZE} characters, not by {wrong[0][:UUID_SIZE]!r}.")
        for host in filter(None, (asked.source, asked.dest)):
            if host not in self._known:
                raise UsageError(f"The host {host} is not in the fleet: add it to the fleet file.")
        for role, name in ((SOURCE, asked.source), (DEST, asked.dest)):
            if not name and any(score.needs(role) for score in scores):
                raise UsageError(f"An operation of the kind {asked.kind} needs a {role} host: name one.")

    def _background_templates(self) -> list[Template]:
        if not self._control.background:
            return []
        return [one for one in self._templates if one.background and one.interval_s]

    async def _look(self) -> None:
        while True:
            sample(self.tally, self.now_s(), self._cloud.processes())
            await asyncio.sleep(SAMPLE_S)

    async def _unless_it_ends(self, future: asyncio.Future[None]) -> None:
        self._raise_if_ended()
        self._sleepers.add(future)
        try:
            await future
        finally:
            self._sleepers.discard(future)

    def _raise_if_ended(self) -> None:
        if self._stage.error is not None:
            raise BrokerError(str(self._stage.error)) from self._stage.error

    def _wake(self, error: BrokerError) -> None:
        for sleeper in self._sleepers:
            if not sleeper.done():
                sleeper.set_exception(BrokerError(str(error)))

    async def _end(self) -> None:
        self._background.close()
        await self._stage.close()
        await self._cloud.close()


def _compiled(template: Template, manner: Manner) -> list[Score]:
    return [Score(variant, manner, _servers(template)) for variant in template.variants]


def _servers(template: Template) -> int:
    """How many an operation is about; what a timer starts is about those of its host, whom nobody names."""
    return 0 if template.background else template.instances


def _wake(sleeper: asyncio.Future[None]) -> None:
    with contextlib.suppress(asyncio.InvalidStateError):
        sleeper.set_result(None)
