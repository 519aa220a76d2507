"""What is played on an emulated cloud: a flow, or a replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rpcscope.fleet.model import Control
    from rpcscope.flows.world import World
    from rpcscope.templates.model import Template


class Part(Protocol):
    """It knows what to do once there is a world, and how it fares."""

    async def play(self, world: World) -> None:
        """All of it. Raises UsageError, BrokerError."""
        ...

    def told(self) -> dict[str, Any]:
        """What is known of it so far, as JSON: pace, events, peaks."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """One run to be."""

    what: str  # the flow's name, or "replay"
    hosts: Sequence[str]
    templates: Sequence[Template]
    control: Control
    speed: float
    seed: int
    asked: dict[str, Any]  # JSON, for the store
    expected: dict[str, Any]
    part: Part
