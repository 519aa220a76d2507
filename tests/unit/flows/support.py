"""Small worlds, fleets and templates for the tests of flows."""

from __future__ import annotations

import asyncio


class PlainWorld:
    """Time alone, in a virtual loop."""

    def now_s(self) -> float:
        return asyncio.get_running_loop().time() if _running() else 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
