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
from rpcscope.emulator.playbill import Playbill, roles
from rpcscope.emulator.sampling import sample
from rpcscope.emulator.score import Manner, Score
from rpcscope.emulator.slots import Slots
from rpcscope.emulator.stage import Stage
from rpcscope.emulator.tally import Tally
from rpcscope.emulator.vhost import OwnVhost
from rpcscope.emulator.waiters import Waiters
from rpcscope.errors import UsageError
from rpcscope.fleet.model import Control
from rpcscope.flows.world import Answer, Asked, Ended
from rpcscope.templates.model import Template

SAMPLE_S = 1.0
_LEAST_HOST = 32  # bytes kept for hosts' names, so that hosts with longer ones may come


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
        manner = Manner(self._control, Slots(max(longest, _LEAST_HOST)))
        self._playbill = Playbill(self._templates, manner)
        self._stage = Stage(loop, manner, speed=self._speed, seed=self._seed)
        self._waiters = Waiters()
        self._stage.ended.append(self._waiters.end)
        self._cloud = Cloud(self._own, self._stage, list(self._playbill.nodes()))
        self._started = loop.time()
        self._background = Background(loop, self.now_s, self._speed, self._run_background)
        try:
            await self._cloud.start(self._hosts, self._progress)
        except BaseException:
            await self._end()
            raise
        self._started = loop.time()
        self._stage.spawn(self._look())
        if self._control.background:
            self._background.know(self._playbill.timers(), self._seed)
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
        await self._waiters.wait(sleeper)
        timer.cancel()
        self.tally.late(max(0.0, loop.time() - due))

    async def operate(self, asked: Asked) -> Answer:
        """Play an operation to the end of its last step. Raises UsageError, BrokerError."""
        self._playbill.check(asked, self._known)
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
        for kind, servers in self._playbill.starts():
            unknown = [self._stage.ids.uuid() for _ in range(servers)]
            await self.operate(Asked(kind=kind, instances=unknown, source=host))
        self._background.begin(host, fresh=True)

    async def remove_host(self, host: str, *, cleanly: bool) -> None:
        """End them: cleanly, or as when power fails: what it had in hand is lost, calls to it time out."""
        self._background.end(host)
        await self._cloud.remove(host, cleanly=cleanly)
        self._waiters.check()

    async def _play(self, asked: Asked) -> Answer:
        self._waiters.check()
        score = self._playbill.draw(asked, self._stage.rng)
        started_s = self.now_s()
        play = self._begun(asked, score)
        await self._waiters.wait(play.over)
        failure = play.failure or score.variant.error
        ended = Ended.TIMED_OUT if play.timed_out else Ended.FAILED if failure else Ended.DONE
        return Answer(ended=ended, started_s=started_s, ended_s=self.now_s(), request_id=play.request_id, error=failure)

    def _run_background(self, kind: str, host: str) -> asyncio.Future[None]:
        self.tally.background += 1
        asked = Asked(kind=kind, instances=(), source=host)
        return self._begun(asked, self._playbill.draw(asked, self._stage.rng)).over

    def _begun(self, asked: Asked, score: Score) -> Play:
        play = Play(self._stage, asked, roles(asked))
        Opening(self._stage, play, score, self._cloud.sender).begin()
        return play

    async def _look(self) -> None:
        while True:
            sample(self.tally, self.now_s(), self._cloud.processes())
            await asyncio.sleep(SAMPLE_S)

    async def _end(self) -> None:
        self._background.close()
        await self._stage.close()
        await self._cloud.close()


def _wake(sleeper: asyncio.Future[None]) -> None:
    with contextlib.suppress(asyncio.InvalidStateError):
        sleeper.set_result(None)
