"""A thread that does one thing over and over until it is ended."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Worker:
    """Calls `step` again and again; each call says how many seconds to wait for the next. For any thread."""

    def __init__(self, name: str, step: Callable[[], float]) -> None:
        """Nothing runs yet. `step` raises nothing."""
        self._step = step
        self._wake, self._ended = threading.Event(), False
        self._after_s = 0.0
        self._thread = threading.Thread(target=self._run, name=f"rpcscope-{name}", daemon=True)

    @property
    def is_ended(self) -> bool:
        """`stop` was called: a step that takes long looks now and then."""
        return self._ended

    def start(self, *, after_s: float = 0.0) -> None:
        """Begin, with the first step at once, or after a time."""
        self._after_s = after_s
        self._thread.start()

    def poke(self) -> None:
        """Take the next step now."""
        self._wake.set()

    def stop(self) -> None:
        """End; waits for a step that is under way."""
        self._ended = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause_s = self._after_s or self._step()
        while True:
            self._wake.wait(pause_s)
            self._wake.clear()
            if self._ended:
                return
            pause_s = self._step()
