"""A world without a broker: operations take the time, and send the messages, that their templates say."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from itertools import count

from rpcscope.errors import UsageError
from rpcscope.flows.tally import Tally
from rpcscope.flows.walk import Walk
from rpcscope.flows.world import Answer, Asked, Ended, Refused
from rpcscope.templates.model import Template, Variant

_STARTUP = "startup:"
"""Kinds of templates that a host plays when it starts."""


class VirtualWorld:
    """A `World` for a loop whose time is virtual. The same seed gives the same times and sizes.

    Nothing queues: a control plane that is slow under load is what an emulation on a broker shows.
    """

    def __init__(self, templates: Iterable[Template], hosts: Iterable[str], seed: int) -> None:
        """`templates`: one for each kind and number of servers; `hosts` are up."""
        self._templates = {(one.kind, one.instances): one for one in templates}
        self._up = dict.fromkeys(hosts, True)
        self._seed, self._numbers = seed, count()
        self.tally = Tally()

    def now_s(self) -> float:
        """Of the loop's clock."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """In virtual time."""
        await asyncio.sleep(seconds)

    async def add_host(self, host: str) -> None:
        """It answers from now on."""
        self._up[host] = True
        for kind, servers in sorted(self._templates):
            if kind.startswith(_STARTUP):
                await self.operate(Asked(kind=kind, instances=("",) * servers, source=host))

    async def remove_host(self, host: str, *, cleanly: bool) -> None:
        """It answers nothing any more."""
        self._up[host] = False

    async def operate(self, asked: Asked) -> Answer:
        """Walk a variant of the template, drawn by its share."""
        template = self._check(asked)
        number = next(self._numbers)
        rng = random.Random(self._seed * 1_000_003 + number)  # noqa: S311 - no secret
        (variant,) = rng.choices(template.variants, [variant.share for variant in template.variants])
        down = {host for host, up in self._up.items() if not up}
        walking = Walk(asked=asked, world=self, tally=self.tally, rng=rng, down=down)
        self.tally.asked(asked.kind)
        started = self.now_s()
        error = await self._to_its_end(walking, variant)
        answer = Answer(
            ended=Ended.TIMED_OUT if walking.timed_out else Ended.FAILED if error else Ended.DONE,
            started_s=started,
            ended_s=self.now_s(),
            request_id=f"req-{number:08}",
            error="MessagingTimeout" if walking.timed_out else error,
        )
        self.tally.ended(asked.kind, answer)
        return answer

    async def _to_its_end(self, walking: Walk, variant: Variant) -> str:
        """Class of the failure, or ""."""
        refused = ""
        try:
            spell = await walking.level(variant.roots, self.now_s())
            await self.sleep(max(0.0, spell.over - self.now_s()))
        except* Refused as group:
            refused = str(_first(group)) or "Refused"
        return refused or ("MessageLost" if walking.lost else "") or variant.error

    def _check(self, asked: Asked) -> Template:
        unknown = next((host for host in (asked.source, asked.dest) if host and host not in self._up), None)
        if unknown is not None:
            raise UsageError(f"The host {unknown} is not in the fleet: add it to the fleet file.")
        template = self._templates.get((asked.kind, len(asked.instances)))
        if template is None:
            known = ", ".join(sorted(f"{kind} of {servers} servers" for kind, servers in self._templates))
            raise UsageError(
                f"There is no template of {asked.kind} of {len(asked.instances)} servers: learn one with "
                f"`rpcscope template learn`, or use {known}."
            )
        return template


def _first(group: BaseExceptionGroup[Refused]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
