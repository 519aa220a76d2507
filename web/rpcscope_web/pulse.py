"""Tells the pages that follow that something new was stored: the store is looked at once a second for all of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from rpcscope.errors import StoreError
from rpcscope.store import Reader

EVERY_S = 1.0
QUIET_S = 15.0
"""A proxy on the way ends a connection on which nothing was said for much longer."""
MOST = 200
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Beat:
    """What is stored at one time: another version, another content."""

    version: str  # "" while the store can not be reached
    last_ns: int = 0  # the newest event


def look(reader: Reader) -> Beat:
    """The store as it is now, by how far its recordings came and when their recorders spoke last."""
    known = reader.recordings()
    far = [f"{one.recording.id}.{one.position}.{one.last_ns}.{one.recording.ended_ns or 0}" for one in known]
    said = [f"{one.recording_id}.{one.at_ns}" for one in reader.health()]
    return Beat("-".join([*far[-8:], *said[-8:]]) or "empty", max((one.last_ns for one in known), default=0))


class Pulse:
    """Shared by all listeners; looks only while somebody listens."""

    def __init__(self, look: Callable[[], Beat], every_s: float = EVERY_S) -> None:
        self._look, self._every_s = look, every_s
        self._beat = Beat("")
        self._changed = asyncio.Condition()
        self._listeners = 0
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def is_full(self) -> bool:
        """No more listeners are taken."""
        return self._listeners >= MOST

    def close(self) -> None:
        """Ends every stream within a second; a signal handler may call it."""
        self._closed = True

    async def beats(self) -> AsyncIterator[Beat | None]:
        """The store now and whenever it changed; None when nothing did for a while."""
        self._listeners += 1
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        try:
            told: Beat | None = None
            quiet_s = 0.0
            while not self._closed:
                if self._beat != told and (self._beat.version or told is not None):
                    told, quiet_s = self._beat, 0.0
                    yield told
                elif quiet_s >= QUIET_S:
                    quiet_s = 0.0
                    yield None
                quiet_s += await self._wait()
        finally:
            self._listeners -= 1

    async def _wait(self) -> float:
        async with self._changed:
            await self._changed.wait()
        return self._every_s

    async def _run(self) -> None:
        while self._listeners and not self._closed:
            try:
                self._beat = await run_in_threadpool(self._look)
            except StoreError as error:
                log.info("What is new is not known: %s", error)
                self._beat = Beat("")
            async with self._changed:
                self._changed.notify_all()
            await asyncio.sleep(self._every_s)
        self._task = None
        async with self._changed:
            self._changed.notify_all()
