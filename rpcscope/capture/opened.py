"""A capture file, opened: its JSON lines, and what was wrong with it."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from rpcscope.capture.lines import Lines
from rpcscope.capture.own import plain
from rpcscope.capture.pieces import Pieces
from rpcscope.errors import CaptureError


class JsonLines:
    """Reads a file once, from its start. Close it.

    `rejected` counts lines that are not JSON objects, `problem` is "" or one sentence once the
    lines have ended.
    """

    def __init__(self, path: Path) -> None:
        """Open it; CaptureError with a sentence when that is not possible."""
        self._name = plain(path.name)
        self._file = _open(path, self._name)
        self._pieces = Pieces(self._file, self._name)
        self._lines = Lines(self._pieces)
        self._rows = 0
        self._broken = 0
        self._cut = False

    @property
    def bytes_read(self) -> int:
        """Bytes of the file, as they are on the disk."""
        return self._pieces.bytes_read

    @property
    def rejected(self) -> int:
        """Lines that are not JSON objects or are too long."""
        return self._broken + self._lines.too_long

    @property
    def problem(self) -> str:
        """Why the end of the file was not read."""
        if self._lines.gave_up:
            return f"{self._name} has a line without an end: what comes before it was read"
        if self._cut and not self._pieces.problem:
            return f"{self._name} is cut short: its last line has no end, what comes before it was read"
        return self._pieces.problem

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Each line's object, in order.

        Raises:
            CaptureError: the disk does not give its bytes.
        """
        for line in self._lines:
            try:
                row = orjson.loads(line)
            except (orjson.JSONDecodeError, RecursionError):
                row = None
            if isinstance(row, dict):
                self._rows += 1
                yield row
            elif self._rows and not self._lines.ended:
                self._cut = True
            else:
                self._broken += 1

    def close(self) -> None:
        """Close the file; more than once does no harm."""
        self._file.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self.close()


def _open(path: Path, name: str) -> Any:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise CaptureError(f"{name} is a folder: name one capture file in it")
        if not stat.S_ISREG(mode):
            raise CaptureError(f"{name} is not a regular file: write the capture to a file first")
        return path.open("rb")
    except FileNotFoundError:
        raise CaptureError(f"{name} does not exist: check the path of the capture") from None
    except PermissionError:
        raise CaptureError(f"{name} may not be read: ask for the right to read it") from None
    except (OSError, ValueError) as error:
        raise CaptureError(
            f"{name} can not be opened: {getattr(error, 'strerror', '') or 'its name is not valid'}"
        ) from None
