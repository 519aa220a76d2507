"""The real outside of a flow: runs commands and posts to webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from rpcscope.hooks.command import run_command
from rpcscope.hooks.webhook import Webhook


class RealOutside:
    """An `Outside` (rpcscope.flows.outside); a context manager, whose end waits a little for what is still unsent."""

    def __init__(self) -> None:
        self._webhooks: dict[str, Webhook] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        for webhook in self._webhooks.values():
            webhook.close()

    async def command(self, argv: Sequence[str], timeout_s: float) -> bool:
        """Run it; whether it ended with 0 in time. Raises UsageError when it can not be started."""
        return await run_command(argv, timeout_s)

    def tell(self, url: str, event: Mapping[str, object]) -> None:
        """Send an event to a webhook some time soon. Raises UsageError for what is no URL."""
        if url not in self._webhooks:
            self._webhooks[url] = Webhook(url)
        self._webhooks[url].tell(event)

    @property
    def lost(self) -> int:
        """Events that no webhook took."""
        return sum(webhook.lost for webhook in self._webhooks.values())
