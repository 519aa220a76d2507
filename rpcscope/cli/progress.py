"""How a run fares, in one line of a terminal that is written over."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.status import Status

from rpcscope.cli.tapped import ENDS

if TYPE_CHECKING:
    from rpcscope.emulator import BusWorld
    from rpcscope.store.protocol import Reader

_RECENT_NS = 60 * 1_000_000_000


class Board:
    """Writes to stderr; on a terminal alone."""

    def __init__(self, expected: dict[str, Any]) -> None:
        """`expected` as a run has it."""
        screen = Console(stderr=True, highlight=False)
        self._status = Status("starting", console=screen) if sys.stderr.isatty() else None
        self._operations = expected.get("operations")
        self._began: float | None = None
        self._depth: int | None = None
        if self._status is not None:
            self._status.start()

    def say(self, words: str) -> None:
        """What is done now."""
        if self._status is not None:
            self._status.update(words)

    def begun(self, what: str, vhost: str) -> None:
        """The run has begun; said on every kind of stderr."""
        words = f"rpcscope: playing {what} in vhost {vhost}; {ENDS}"
        if self._status is not None:
            self._status.console.print(words, markup=False)
        else:
            click.echo(words, err=True)

    def starting(self, done: int, of: int) -> None:
        """Services come up."""
        self.say(f"starting services: {done:,} of {of:,}")

    def look_at_depth(self, reader: Reader, vhost: str) -> None:
        """How many messages lay in the queues at the last look."""
        now_ns = time.time_ns()
        found: dict[str, int] = {}
        for one in reader.families(now_ns - _RECENT_NS, now_ns):
            if one.vhost == vhost and one.ready is not None:
                found[one.family] = one.ready
        self._depth = sum(found.values()) if found else None

    def show(self, world: BusWorld, told: dict[str, Any]) -> None:
        """How far the run is."""
        if self._status is None:
            return
        self._began = self._began or time.monotonic()
        tally = world.tally
        self._status.update(
            f"{time.monotonic() - self._began:,.0f} s: {tally.asked:,}{self._of()} operations begun, "
            f"{tally.done:,} done, {tally.failed + tally.timed_out:,} failed, {tally.sent.total():,} RPCs sent"
            f"{_late(told)}{self._deep(tally)}"
        )

    def close(self) -> None:
        """The line goes."""
        if self._status is not None:
            self._status.stop()

    def _of(self) -> str:
        return f" of {self._operations:,}" if self._operations else ""

    def _deep(self, tally: Any) -> str:
        waiting = 0
        for sample in reversed(tally.samples[-8:]):
            if sample.at_s != tally.samples[-1].at_s:
                break
            waiting += sample.inner
        queued = "" if self._depth is None else f", {self._depth:,} in queues"
        return f"{queued}, {waiting:,} wait in processes"


def _late(told: dict[str, Any]) -> str:
    late_s = (told.get("pace") or {}).get("late_p95_s")
    return "" if late_s is None else f", late {late_s * 1000:,.0f} ms (p95)"
