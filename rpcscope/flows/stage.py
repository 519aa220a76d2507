"""What every flow stands on: its world, its fleet, chance, a report; and the operations that flows share."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rpcscope.errors import UsageError
from rpcscope.fleet.network import capacities, policy_of
from rpcscope.fleet.state import Fleet
from rpcscope.flows.outside import Nothing, Outside
from rpcscope.flows.report import Report
from rpcscope.flows.slots import Slots
from rpcscope.flows.traffic import Traffic
from rpcscope.flows.world import Answer, Asked, Ended, World
from rpcscope.physics import Policy


@dataclass(kw_only=True)
class Stage:
    """Of one run of a flow."""

    world: World
    fleet: Fleet
    rng: random.Random
    report: Report
    outside: Outside = field(default_factory=Nothing)
    traffic: Traffic = field(init=False)
    policy: Policy = field(init=False)
    copies: Slots = field(init=False)  # of a source: how many migrations it sends at one time
    midnight_s: float = 0.0  # time of the day at which the world began
    _running: int = 0

    def __post_init__(self) -> None:
        file = self.fleet.file
        self.traffic = Traffic(self.world, capacities(self.fleet.hosts.values(), file.network))
        self.policy = policy_of(file.migration)
        self.copies = Slots({"source": file.migration.max_concurrent})

    async def operate(
        self,
        kind: str,
        servers: Sequence[str],
        *,
        source: str = "",
        dest: str = "",
        waits: Mapping[str, Callable[[], Awaitable[None]]] | None = None,
    ) -> Answer:
        """Carry out an operation, and note in the report how it ended."""
        self._running += 1
        self.report.peak("operations", self._running)
        try:
            answer = await self.world.operate(
                Asked(kind=kind, instances=servers, source=source, dest=dest, waits=waits)
            )
        finally:
            self._running -= 1
        facts = {"dest": dest if source else "", "error": answer.error}
        self.report.note(
            f"{kind} {answer.ended}",
            host=source or dest,
            server=servers[0] if len(servers) == 1 else "",
            took_s=round(answer.ended_s - answer.started_s, 3),
            **{name: fact for name, fact in facts.items() if fact},
        )
        return answer

    async def operate_if_known(self, kind: str, servers: Sequence[str], *, source: str = "") -> None:
        """Carry out what belongs to a flow, but without which it goes on when the world has no template of it."""
        try:
            await self.operate(kind, servers, source=source)
        except UsageError:
            self.report.note(f"no template of {kind}")

    def spawn(self, takes_s: float | None) -> Mapping[str, Callable[[], Awaitable[None]]] | None:
        """The waits of an operation whose hypervisor needs that long; None: as recorded."""
        return None if takes_s is None else {"spawn": lambda: self.sleep(takes_s)}

    def day_s(self) -> float:
        """Time of the day, in s from a midnight."""
        return self.midnight_s + self.world.now_s()

    async def sleep(self, seconds: float) -> None:
        """Let time pass in the world."""
        if seconds > 0:
            await self.world.sleep(seconds)

    def close(self) -> None:
        """End what still runs, and put into the report what was measured on the way."""
        self.traffic.close()
        self.report.peak("part of a link", round(self.traffic.peak, 4))
        self.report.peak("transfers", self.traffic.most)
        self.report.peak("copies of one source", self.copies.peaks["source"])


def done(answer: Answer) -> bool:
    """Whether it ended well."""
    return answer.ended is Ended.DONE
