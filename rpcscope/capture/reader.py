"""Reads captures of both formats: raw firehose lines, and rpcscope's own."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rpcscope.capture import own, raw
from rpcscope.capture.clock import StepCounter
from rpcscope.capture.opened import JsonLines
from rpcscope.capture.own import Header, plain
from rpcscope.capture.own_file import OwnFile
from rpcscope.capture.raw_file import RawFile
from rpcscope.capture.window import in_order
from rpcscope.errors import CaptureError
from rpcscope.model import Observation, Sighting, Topology


class CaptureReader:
    """The sightings of one file, in an order that is the same each time it is read.

    Attributes:
        label: the header's, else the file's name without `.jsonl`.
        mode, conditions, source, pseudonymized: the header's; "" and False for raw files.
        rejected: lines so far that are not records.
        problem: "" or one sentence, once the end was reached and it is missing or damaged.

    Raises:
        CaptureError: there is no such file, it may not be read, or it is not a capture.
    """

    def __init__(self, path: Path | str) -> None:
        """Open a file and tell its format by its first line."""
        self._path = Path(path)
        self._name = plain(self._path.name)
        self._steps = StepCounter()
        self._header, self.is_raw = self._open()
        self.total_bytes = self._path.stat().st_size
        self.source = "file" if self.is_raw else self._header.source
        self.label = self._header.label or plain(self._path.name.split(".jsonl")[0])
        self.mode = self._header.mode
        self.conditions = self._header.conditions
        self.pseudonymized = self._header.pseudonymized
        self._lines = JsonLines(self._path)
        self._file = (RawFile if self.is_raw else OwnFile)(self._path, self._lines)

    def _open(self) -> tuple[Header, bool]:
        """The header, and whether the file is raw, by its first line."""
        bad = 0
        with JsonLines(self._path) as lines:
            for number, row in enumerate(lines):
                if number == 0 and own.MARK in row:
                    return self._header_of(row), False
                if raw.observation(row, 0) is not None:
                    return Header(), True
                bad += 1
            raise CaptureError(self._why_nothing(lines.problem, bad + lines.rejected))

    def _header_of(self, first: dict[str, Any]) -> Header:
        if first[own.MARK] != own.VERSION:
            raise CaptureError(f"{self._name} was written by a newer rpcscope: read it with that version")
        return own.header_of(first)

    def _why_nothing(self, problem: str, bad: int) -> str:
        if problem:
            return f"nothing can be read: {problem.partition(': what comes')[0].partition(': its last')[0]}"
        if bad:
            return f"{self._name} is not a capture: none of its {bad} lines is an event"
        return f"{self._name} is empty: record the capture again"

    @cached_property
    def digest(self) -> str:
        """What tells one recording from another: the header's digest of the raw file that this one
        was scrubbed from, else sha256 of the file's bytes. A scrubbed copy has its original's."""
        return self._header.digest or digest_of(self._path)

    @property
    def bytes_read(self) -> int:
        """Bytes of the file read so far, of `total_bytes`."""
        return self._lines.bytes_read

    @property
    def rejected(self) -> int:
        """Lines so far that are not records."""
        return self._lines.rejected + self._file.bad

    @property
    def problem(self) -> str:
        """What is missing, in one sentence; known at the end."""
        return self._lines.problem or self._file.problem

    @property
    def clock_steps(self) -> int:
        """Jumps of the recorder's wall clock so far. They did no harm."""
        return self._steps.steps

    def batches(self, max_events: int = 2000, max_wait_s: float = 0) -> Iterator[list[Sighting]]:
        """All snapshots, then all else in the order of time, then the last snapshot again.

        Snapshots come first so that the first events have names; those with a time of their own
        come again at that time, as they did when it was recorded. Events are ordered by
        (at_ns, seq) as far as 4,096 of them reach. A file has nothing to wait for, so `max_wait_s`
        is not used. Each batch holds at most `max_events`. To be read once.

        Raises:
            CaptureError: the disk does not give its bytes.
        """
        del max_wait_s
        sightings = self._sightings()
        while batch := list(itertools.islice(sightings, max(1, max_events))):
            yield batch

    def _sightings(self) -> Iterator[Sighting]:
        last: Topology | None = None
        for last in self._file.snapshots():
            yield last
        yield from self._in_order()
        if last is not None:
            yield last

    def once(self) -> Iterator[Sighting]:
        """Each sighting once, as a copy of the file needs them: snapshots without a time, then all else
        in the order of time. To be read once, and instead of `batches`.

        Raises:
            CaptureError: the disk does not give its bytes.
        """
        yield from (snapshot for snapshot in self._file.snapshots() if not snapshot.at_ns)
        yield from self._in_order()

    def _in_order(self) -> Iterator[Sighting]:
        for event, seen in in_order(self._file.events()):
            if seen is not None and isinstance(event, Observation):
                self._steps.see(event.at_ns, seen)
            yield event

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


def digest_of(path: Path) -> str:
    """sha256 of a file's bytes, in hex. Raises CaptureError when it can not be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CaptureError(f"{plain(path.name)} can not be read: {error.strerror}") from None
