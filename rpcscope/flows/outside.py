"""What a flow may do outside of its world, by a user's wish: run commands, tell a webhook.

A plan does nothing of it, and neither does a run unless it was asked for: see `Nothing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Outside(Protocol):
    """The world of the user. `rpcscope.hooks` has the real one."""

    async def command(self, argv: Sequence[str], timeout_s: float) -> bool:
        """Run a program with its arguments; whether it ended with 0 in time."""
        ...

    def tell(self, url: str, event: Mapping[str, object]) -> None:
        """Send an event to a webhook some time soon; it never waits."""
        ...


class Nothing:
    """Does nothing of it: every command counts as done."""

    async def command(self, argv: Sequence[str], timeout_s: float) -> bool:
        """Not run."""
        return True

    def tell(self, url: str, event: Mapping[str, object]) -> None:
        """Not sent."""
