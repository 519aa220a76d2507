"""Who waits for something of the emulation hears when it can not go on."""

from __future__ import annotations

import asyncio

from rpcscope.errors import BrokerError


class Waiters:
    """Futures that are waited for."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()
        self.error: BrokerError | None = None

    async def wait(self, future: asyncio.Future[None]) -> None:
        """Until it is done. Raises BrokerError when the emulation has ended, or ends."""
        self.check()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    def check(self) -> None:
        """Raises BrokerError when the emulation has ended."""
        if self.error is not None:
            raise BrokerError(str(self.error)) from self.error

    def end(self, error: BrokerError) -> None:
        """It has ended."""
        self.error = error
        for future in self._waiting:
            if not future.done():
                future.set_exception(BrokerError(str(error)))
