"""The threads of a server, without threads: so many messages in hand at once, all others wait in its memory.

oslo.messaging acknowledges a message before it dispatches it, and the queue of its thread pool has no bound. Source:
oslo_messaging/server.py :: MessageHandlingServer._on_incoming, futurist's ThreadPoolExecutor.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol


class Work(Protocol):
    """A message to be handled."""

    def start(self) -> None:
        """A thread is free for it; `Executor.release` gives the thread back."""


class Executor:
    """The threads of one process."""

    __slots__ = ("_free", "hands", "inner")

    def __init__(self, size: int) -> None:
        """`size`: threads (executor_thread_pool_size)."""
        self._free = size
        self.hands: dict[Work, None] = {}  # that have a thread
        self.inner: deque[Work] | tuple[()] = ()  # that wait for one; most processes never need a deque

    def submit(self, work: Work) -> None:
        """Handle it now, or when a thread is free."""
        if self._free:
            self._free -= 1
            self.hands[work] = None
            work.start()
        else:
            if not self.inner:
                self.inner = deque()
            self.inner.append(work)

    def release(self, work: Work) -> None:
        """It is done. Nothing when it was dropped."""
        if work not in self.hands:
            return
        del self.hands[work]
        if self.inner:
            following = self.inner.popleft()
            self.hands[following] = None
            following.start()
        else:
            self._free += 1

    def drop(self) -> list[Work]:
        """All of it is lost, as when the process dies; what it was."""
        lost = [*self.hands, *self.inner]
        self.hands.clear()
        self.inner = ()
        return lost
