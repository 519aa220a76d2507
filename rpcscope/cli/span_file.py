"""A file of spans, read as a recording: what the OpenTelemetry Collector's file exporter writes, or a span a line."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rpcscope.capture import CaptureReader
from rpcscope.capture.opened import JsonLines
from rpcscope.capture.own import plain
from rpcscope.capture.reader import digest_of
from rpcscope.model import Inside, Sighting
from rpcscope.modes import INSIDE
from rpcscope_collectors.otlp import SpanIntake
from rpcscope_collectors.span import Span
from rpcscope_collectors.span_bodies import is_request, is_row, of_request, of_row

MOST_HELD = 50_000


class SpanFile:
    """What processes told in the spans of one file, in the order of time, the same each time it is read.

    Attributes are those of `CaptureReader`. A span that is no side of an RPC is counted as rejected, unless an RPC may
    be below it.

    Raises:
        CaptureError: the file may not be read.
    """

    mode = INSIDE
    conditions = ""

    def __init__(self, path: Path) -> None:
        """Open a file that `is_of_spans`."""
        self._path = path
        self._lines = JsonLines(path)
        self._others = 0
        self._intake = SpanIntake(hold_ns=None, most=MOST_HELD)
        self.label = plain(path.name.split(".json")[0])
        self.total_bytes = path.stat().st_size

    @cached_property
    def digest(self) -> str:
        """sha256 of the file's bytes."""
        return digest_of(self._path)

    @property
    def bytes_read(self) -> int:
        """Bytes of the file read so far, of `total_bytes`."""
        return self._lines.bytes_read

    @property
    def rejected(self) -> int:
        """Spans that tell of no RPC, and lines that are no spans."""
        return self._intake.count.rejected + self._lines.rejected + self._others

    @property
    def problem(self) -> str:
        """What is missing, in one sentence; known at the end."""
        return self._lines.problem

    def batches(self, max_events: int = 2000, max_wait_s: float = 0) -> Iterator[list[Sighting]]:
        """All of it; to be read once. A file has nothing to wait for.

        Raises:
            CaptureError: the disk does not give its bytes.
        """
        del max_wait_s
        told = self._told()
        while batch := [*itertools.islice(told, max(1, max_events))]:
            yield [*batch]

    def ack(self) -> None:
        """A file keeps what it has: nothing to acknowledge."""

    def close(self) -> None:
        """Close the file; more than once does no harm."""
        self._lines.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self.close()

    def _told(self) -> Iterator[Inside]:
        for row in self._lines:
            self._intake.take(self._spans(row), _came(row))
            yield from self._intake.due(0)
        yield from self._intake.rest()

    def _spans(self, row: dict[str, Any]) -> Iterator[Span]:
        if is_row(row):
            yield of_row(row)
        elif is_request(row):
            yield from of_request(row)
        else:
            self._others += 1


def is_of_spans(path: Path) -> bool:
    """Whether the first line of a file holds spans. Raises CaptureError when it can not be opened."""
    with JsonLines(path) as lines:
        first = next(iter(lines), {})
    return is_row(first) or is_request(first)


def opened_file(path: Path) -> SpanFile | CaptureReader:
    """A file as what it is. Raises CaptureError."""
    return SpanFile(path) if is_of_spans(path) else CaptureReader(path)


def _came(row: dict[str, Any]) -> int | None:
    """When a recorder got the line, where it says so."""
    at_ns = row.get("recv_ns")
    return at_ns if type(at_ns) is int and at_ns > 0 else None
