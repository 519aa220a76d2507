"""A file of rpcscope's own format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rpcscope.capture import own
from rpcscope.capture.opened import JsonLines
from rpcscope.capture.topology import safe_topology
from rpcscope.capture.window import Timed
from rpcscope.model import Topology


class OwnFile:
    """Events, gaps and snapshots of our own capture. `bad` counts the objects that are none of them."""

    def __init__(self, path: Path, lines: JsonLines) -> None:
        """Of lines that were not read yet."""
        self._path = path
        self._lines = lines
        self.bad = 0
        self.problem = ""

    def snapshots(self) -> Iterator[Topology]:
        """All snapshots, in the order of the file, which is read once more for them."""
        with JsonLines(self._path) as lines:
            for row in lines:
                if "topology" in row and isinstance(found := own.sighting(row), Topology):
                    yield safe_topology(found)

    def events(self) -> Iterator[Timed]:
        """Events, gaps, and the snapshots that have a time of their own, as they are in the file."""
        rows = iter(self._lines)
        next(rows, None)  # the header
        for row in rows:
            found = own.sighting(row)
            if found is None:
                self.bad += 1
            elif not isinstance(found, Topology):
                yield found, None
            elif found.at_ns:
                yield safe_topology(found), None
