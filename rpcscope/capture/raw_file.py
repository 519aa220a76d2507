"""A file of raw firehose lines, with the management API's snapshots beside it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rpcscope.capture import raw
from rpcscope.capture.clock import Reading, TimeLine
from rpcscope.capture.management import beside, read_snapshots
from rpcscope.capture.opened import JsonLines
from rpcscope.capture.own import plain
from rpcscope.capture.topology import safe_topology
from rpcscope.capture.window import WINDOW, WINDOW_BYTES, Timed
from rpcscope.errors import CaptureError
from rpcscope.model import Topology


class RawFile:
    """Events and snapshots of a raw capture. `bad` counts the objects that are no events."""

    def __init__(self, path: Path, lines: JsonLines) -> None:
        """Of lines that were not read yet."""
        self._beside = beside(path)
        self._lines = lines
        self.bad = 0
        self.problem = ""

    def snapshots(self) -> Iterator[Topology]:
        """What is beside the file, in the order of time; `problem` says when it can not be read."""
        try:
            yield from map(safe_topology, read_snapshots(self._beside))
        except (OSError, ValueError, CaptureError, RecursionError):
            self.problem = f"{plain(self._beside.name)} can not be read: processes will be shown without their names"

    def events(self) -> Iterator[Timed]:
        """Events as they are in the file, each with its time on the one time line."""
        rows = iter(self._lines)
        head = list(_until_full(rows))
        line = TimeLine(_anchor(head))
        for row in itertools.chain(_emptying(head), rows):
            seen = raw.clocks(row)
            found = raw.observation(row, line.at(seen))
            if found is None:
                self.bad += 1
            else:
                yield found, seen


def _until_full(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows of the first window."""
    held = 0
    for number, row in enumerate(rows, 1):
        yield row
        body = row.get("body", row.get("body_b64"))
        held += len(body) if isinstance(body, str) else 0
        if number >= WINDOW or held >= WINDOW_BYTES:
            return


def _emptying(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows, each let go of once it was handed on."""
    rows.reverse()
    while rows:
        yield rows.pop()


def _anchor(rows: Iterable[dict[str, Any]]) -> Reading:
    """Both clocks of the line with the lowest sequence number that has them."""
    best = min(rows, key=_anchor_rank, default={})
    return raw.clocks(best)


def _anchor_rank(row: dict[str, Any]) -> tuple[int, int]:
    seen = raw.clocks(row)
    missing = (seen.wall_ns is None) + (seen.mono_ns is None)
    return missing, raw.count(row.get("seq"), 1 << 63)
