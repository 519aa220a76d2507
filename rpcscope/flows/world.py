"""What a flow stands on: time, and operations that a control plane carries out.

Two worlds exist. `rpcscope.emulator.BusWorld` plays every RPC on a broker, by the wall's clock.
`rpcscope.flows.virtual` runs the same flow in no time: it counts what the templates say, which is the plan shown
before a run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Ended(StrEnum):
    """How an operation of a flow ended."""

    DONE = "done"
    FAILED = "failed"  # the control plane said no, or a flow's own wait raised Refused
    TIMED_OUT = "timed out"  # a call of it had no answer in its time


class Refused(Exception):
    """What a wait raises to make the operation fail: a migration that was aborted, a drain that was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One operation that a flow asks for."""

    kind: str  # of the template: create, live-migration, evacuate, delete
    instances: Sequence[str]  # uuids of servers
    source: str = ""  # hosts by name
    dest: str = ""
    waits: Mapping[str, Callable[[], Awaitable[None]]] | None = None
    """By the name of Step.wait: what takes the time of its delay, in the world's time; may raise Refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How it ended. Times in s of the world, from its start."""

    ended: Ended
    started_s: float
    ended_s: float
    request_id: str
    error: str = ""  # class of the failure


class World(Protocol):
    """Time and a control plane. All its methods belong to the event loop that runs the flow."""

    def now_s(self) -> float:
        """Since the world began."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...

    async def operate(self, asked: Asked) -> Answer:
        """Carry out an operation, and return when its last step is over.

        Raises UsageError for an unknown kind or host.
        """
        ...

    async def add_host(self, host: str) -> None:
        """Start the services of a host; they announce themselves as restarted ones do."""
        ...

    async def remove_host(self, host: str, *, cleanly: bool) -> None:
        """End them: cleanly, or as when power fails."""
        ...
