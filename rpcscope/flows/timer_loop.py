"""The event loop with a virtual clock. `rpcscope.flows.virtual` runs it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class TimerLoop(asyncio.AbstractEventLoop):
    """Callbacks and timers, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._now = 0.0
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = itertools.count()
        self._running = self._stopping = self._closed = self._debug = False
        self._generators: list[Any] = []
        self._factory: Any = None
        self._on_error: Any = None

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._now

    def run_forever(self) -> None:
        """Run until `stop`. Raises RuntimeError once nothing is left to do."""
        self._check_open()
        self._running = True
        events._set_running_loop(self)
        try:
            while not self._stopping:
                self._turn()
        finally:
            self._stopping = self._running = False
            events._set_running_loop(None)

    def run_until_complete(self, future: Any) -> Any:
        """Run until the future is done, and return its result."""
        task = asyncio.ensure_future(future, loop=self)
        task.add_done_callback(self._stop_for)
        try:
            self.run_forever()
        finally:
            task.remove_done_callback(self._stop_for)
        return task.result()

    def stop(self) -> None:
        """End `run_forever` after this turn."""
        self._stopping = True

    def is_running(self) -> bool:
        """Between the beginning and the end of `run_forever`."""
        return self._running

    def is_closed(self) -> bool:
        """After `close`."""
        return self._closed

    def close(self) -> None:
        """Forget what was still to be done."""
        self._closed = True
        self._ready.clear()
        self._timers.clear()

    async def shutdown_asyncgens(self) -> None:
        """Nothing to do: generators are closed by those who opened them."""

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Nothing to do: there is none."""

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Call it in the next turn."""
        self._check_open()
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """The same as `call_soon`: a deque takes from signal handlers and threads, and this loop never sleeps."""
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call it in `delay` s."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call it at a time; at once when that is over."""
        self._check_open()
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._numbers), handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Coroutine[Any, Any, _T] | Generator[Any, None, _T], *, name: str | None = None, **more: Any
    ) -> asyncio.Task[_T]:
        """A task of this loop."""
        self._check_open()
        if self._factory is not None:
            return self._factory(self, coro, **more)  # type: ignore[no-any-return]
        return asyncio.Task(coro, loop=self, name=name, **more)

    def set_task_factory(self, factory: Any) -> None:
        """What makes tasks; None for the usual ones."""
        self._factory = factory

    def get_task_factory(self) -> Any:
        """What makes tasks."""
        return self._factory

    def set_exception_handler(self, handler: Any) -> None:
        """Who is told of errors that nobody waits for; None: they are raised out of the loop."""
        self._on_error = handler

    def get_exception_handler(self) -> Any:
        """Who is told of errors that nobody waits for."""
        return self._on_error

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """An error that nobody waits for is a mistake in a flow: it ends the run."""
        if self._on_error is not None:
            self._on_error(self, context)
            return
        raise context.get("exception") or RuntimeError(context.get("message", "unknown error"))

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """As `call_exception_handler` does."""
        raise context.get("exception") or RuntimeError(context.get("message", "unknown error"))

    def get_debug(self) -> bool:
        """Whether asyncio looks closer."""
        return self._debug

    def set_debug(self, enabled: bool) -> None:
        """Let asyncio look closer."""
        self._debug = enabled

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is dropped when its time comes."""

    def _turn(self) -> None:
        """Everything that is ready now; the next timers when nothing is."""
        if not self._ready:
            self._advance()
        for _ in range(len(self._ready)):
            handle = self._ready.popleft()
            if not handle.cancelled():
                handle._run()

    def _advance(self) -> None:
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers or math.isinf(self._timers[0][0]):
            raise RuntimeError("everything waits for something that nothing left can bring about")
        self._now = max(self._now, self._timers[0][0])
        while self._timers and self._timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(self._timers)[2])

    def _stop_for(self, _done: asyncio.Future[Any]) -> None:
        self._stopping = True

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("this loop is closed")
