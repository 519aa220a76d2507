"""A child process of a benchmark that obeys: one JSON line of orders on its stdin, one of report on its stdout."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2]
_END_S = 30.0


class Worker:
    """One child, a module of its own; a context manager. It ends with its stdin, so it never outlives its parent."""

    def __init__(self, module: str, **setup: Any) -> None:
        """Starts it and waits until it is ready. Passwords go by its stdin, where nobody else sees them."""
        command = [sys.executable, "-m", module]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self._process.pid
        try:
            self.ask(**setup)
        except BaseException:
            self.close()
            raise

    @property
    def is_alive(self) -> bool:
        """It has not ended."""
        return self._process.poll() is None

    def ask(self, **order: Any) -> dict[str, Any]:
        """What it reports once it has done that."""
        self.tell(**order)
        return self.answer()

    def tell(self, **order: Any) -> None:
        """Give an order, and fetch its `answer` later."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """The report on the oldest order that has none yet."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"A child of the benchmark ended with {self._process.wait(_END_S)}: see above why.")
        return dict(json.loads(line))

    def close(self) -> None:
        """End it."""
        try:
            self._process.communicate(timeout=_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self._process.kill()  # it may be in the middle of something
        self.close()


def obey(begin: Callable[[dict[str, Any]], Callable[[dict[str, Any]], dict[str, Any]]]) -> None:
    """The child's side: `begin` takes the setup and returns what carries out each order."""
    orders = _orders()
    carry_out = begin(next(orders))
    _report({})
    for order in orders:
        _report(carry_out(order))


def _orders() -> Iterator[dict[str, Any]]:
    for line in sys.stdin:
        yield json.loads(line)


def _report(report: dict[str, Any]) -> None:
    print(json.dumps(report), flush=True)
