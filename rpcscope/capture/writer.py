"""Writes captures: scrubbed, in whole zstd frames, so that a crash loses the last frame at most."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

import zstandard

from rpcscope.capture import own
from rpcscope.capture.own import Header, plain
from rpcscope.capture.pieces import Pieces
from rpcscope.capture.reader import CaptureReader
from rpcscope.capture.scrub import Scrubber
from rpcscope.errors import CaptureError
from rpcscope.model import Sighting

FRAME_LINES = 2000
FRAME_BYTES = 4 << 20
FRAME_SECONDS = 5.0
_LEVEL = 9


class CaptureWriter:
    """A capture file being written. Close it.

    `written` counts the sightings in it, `dropped` those that do not decode.
    `now` tells the seconds that a frame may wait for more lines.

    Raises:
        CaptureError: the file exists, is of another format, or can not be written.
    """

    def __init__(
        self,
        path: Path | str,
        header: Header,
        scrub: Scrubber,
        *,
        append: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin a new file, or go on with one that is there when `append` is set: its header stays."""
        self._path = Path(path)
        self._name = plain(self._path.name)
        self._scrub = scrub
        self._now = now
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        self._lines: list[bytes] = []
        self._bytes = 0
        self.written = 0
        self._file, self._end = self._open(append)
        self._since = now()
        if not self._end:
            hidden = header.pseudonymized or scrub.pseudonymizes
            self._lines.append(own.header_line(replace(header, pseudonymized=hidden)))
            self.flush()

    @property
    def dropped(self) -> int:
        """Events that are no oslo.messaging messages."""
        return self._scrub.dropped

    def _open(self, append: bool) -> tuple[FileIO, int]:
        """The file, and where its last whole frame ends."""
        try:
            if append and self._path.exists():
                return self._reopen()
            return self._path.open("xb", buffering=0), 0
        except FileExistsError:
            raise CaptureError(f"{self._name} exists: name another file, or delete it first") from None
        except (OSError, ValueError) as error:
            raise CaptureError(f"{self._name} can not be written: {_why(error)}") from None

    def _reopen(self) -> tuple[FileIO, int]:
        with CaptureReader(self._path) as reader:
            same = not reader.is_raw and reader.pseudonymized == self._scrub.pseudonymizes
        with self._path.open("rb") as file:
            pieces = Pieces(file, self._name)
            for _ in pieces:
                pass
        if not same or not pieces.whole:
            raise CaptureError(f"{self._name} is a capture of another kind: name another file")
        again = self._path.open("r+b", buffering=0)
        again.truncate(pieces.whole)  # a frame that a crash cut would hide all that is written behind it
        again.seek(pieces.whole)
        return again, pieces.whole

    def write(self, seen: Sighting) -> None:
        """Scrub a sighting and add what is left of it.

        Raises:
            CaptureError: the disk does not take it.
        """
        kept = self._scrub.scrub(seen)
        if kept is not None:
            line = own.line(kept)
            self._lines.append(line)
            self._bytes += len(line)
            self.written += 1
        if len(self._lines) >= FRAME_LINES or self._bytes >= FRAME_BYTES or self._now() - self._since >= FRAME_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Put what was written so far into the file, as one frame.

        Raises:
            CaptureError: the disk does not take it; the file ends with the frame before.
        """
        self._since = self._now()
        if not self._lines:
            return
        frame = self._compressor.compress(b"".join(self._lines))
        try:
            self._put(frame)
        except OSError as error:
            self._file.truncate(self._end)
            raise CaptureError(f"{self._name} can not be written: {_why(error)}; what came before is in it") from None
        self._end += len(frame)
        self._lines.clear()
        self._bytes = 0

    def _put(self, frame: bytes) -> None:
        rest = memoryview(frame)
        while rest:
            rest = rest[self._file.write(rest) :]

    def close(self) -> None:
        """Flush, and see it on the disk; more than once does no harm."""
        if self._file.closed:
            return
        try:
            self.flush()
            os.fsync(self._file.fileno())
        finally:
            self._file.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self.close()


def _why(error: Exception) -> str:
    return getattr(error, "strerror", "") or "its name is not valid"
