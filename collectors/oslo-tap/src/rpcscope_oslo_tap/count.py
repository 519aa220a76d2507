"""A counter that any thread may add to without a lock."""

from __future__ import annotations

import itertools


class Count:
    """`next` of itertools.count is one step of the interpreter, so none is forgotten and nobody waits."""

    __slots__ = ("_next", "_read")

    def __init__(self) -> None:
        """Zero."""
        self._next = itertools.count().__next__
        self._read = 0

    def add(self) -> None:
        """One more."""
        self._next()

    def value(self) -> int:
        """How many so far. One thread at a time may ask: each reading adds one, which is taken off again."""
        self._read += 1
        return self._next() - self._read + 1
