"""Lines of a file, each of bounded length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

MAX_LINE = 256 << 20
MAX_SKIPPED = 2 << 30


class Lines:
    """Splits pieces at line feeds. Blank lines are left out.

    `too_long` counts lines over the limit, which are skipped; `ended` is false when the last line
    had no line feed; `gave_up` is true when a line had no end within 2 GB.
    """

    def __init__(self, pieces: Iterable[bytes], max_line: int = MAX_LINE, max_skipped: int = MAX_SKIPPED) -> None:
        """Of pieces in order; lengths in bytes."""
        self._pieces = pieces
        self._max_line = max_line
        self._max_skipped = max_skipped
        self._rest: list[bytes] = []
        self._length = 0
        self.too_long = 0
        self.ended = True
        self.gave_up = False

    def __iter__(self) -> Iterator[bytes]:
        """Lines without their line feed, in order; the last one also when it has none."""
        for piece in self._pieces:
            head, feed, tail = piece.partition(b"\n")
            if not feed:
                self._keep(head)
                if self._length > self._max_skipped:
                    self.gave_up = True
                    self.too_long += 1
                    return
                continue
            self._keep(head)
            yield from self._line()
            *whole, last = tail.split(b"\n")
            for line in whole:
                self._keep(line)
                yield from self._line()
            self._keep(last)
        self.ended = not self._length
        yield from self._line()

    def _keep(self, part: bytes) -> None:
        self._length += len(part)
        if self._length > self._max_line:
            self._rest.clear()
        elif part:
            self._rest.append(part)

    def _line(self) -> Iterator[bytes]:
        line, length = b"".join(self._rest), self._length
        self._rest.clear()
        self._length = 0
        if length > self._max_line:
            self.too_long += 1
        elif line.strip():
            yield line
