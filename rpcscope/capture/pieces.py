"""A file's bytes, decompressed piece by piece: zstd (of many frames), gzip or plain, told by its first bytes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

import zstandard

from rpcscope.errors import CaptureError

PIECE = 2048  # bytes of input at a time: zstd makes at most 32,768 times as much of them
MAX_WINDOW = 1 << 27  # what `zstd` itself takes without --long
_PLAIN_PIECE = 1 << 18
_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP = b"\x1f\x8b"


class Pieces:
    """Iterates over the decompressed bytes of an open file.

    `problem` is "" or one sentence, set when the end is missing or damaged; what came before it has
    been yielded. `whole` is the offset behind the last zstd frame that was read to its end.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        """Of a file at its start; `name` is for sentences."""
        self._file = file
        self._name = name
        self.bytes_read = 0
        self.whole = 0
        self.problem = ""

    def __iter__(self) -> Iterator[bytes]:
        """Pieces in the order of the file, of at most 64 MB each.

        Raises:
            CaptureError: the disk does not give its bytes.
        """
        try:
            first = self._read(4)
            if first == _ZSTD or (first[1:] == b"\x2a\x4d\x18" and first[0] >> 4 == 5):
                yield from self._zstd(first)
            elif first[:2] == _GZIP:
                yield from self._gzip(first)
            else:
                yield first
                while piece := self._read(_PLAIN_PIECE):
                    yield piece
        except OSError as error:
            raise CaptureError(f"{self._name} can not be read: {error.strerror or 'the disk has an error'}") from error

    def _read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self.bytes_read += len(piece)
        return piece

    def _zstd(self, piece: bytes) -> Iterator[bytes]:
        frames = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
        frame = frames.decompressobj()
        begun = False
        try:
            while piece:
                begun = True
                yield frame.decompress(piece)
                piece = b""
                if frame.eof:
                    piece = frame.unused_data
                    self.whole = self.bytes_read - len(piece)
                    frame, begun = frames.decompressobj(), False
                piece = piece or self._read(PIECE)
        except zstandard.ZstdError as error:
            self.problem = self._why(str(error))
            return
        if begun:
            self.problem = f"{self._name} is cut short: its last part is missing, what comes before it was read"

    def _gzip(self, piece: bytes) -> Iterator[bytes]:
        member = zlib.decompressobj(wbits=31)
        begun = False
        try:
            while piece:
                begun = True
                yield member.decompress(piece)
                piece = b""
                if member.eof:
                    piece = member.unused_data.lstrip(b"\0")
                    member, begun = zlib.decompressobj(wbits=31), False
                piece = piece or self._read(PIECE)
        except zlib.error:
            self.problem = self._why("damaged")
            return
        if begun:
            self.problem = f"{self._name} is cut short: its last part is missing, what comes before it was read"

    def _why(self, reason: str) -> str:
        if "memory" in reason:
            return f"{self._name} needs more than 128 MB to decompress: compress it again without zstd's --long"
        return f"{self._name} is damaged near byte {self.bytes_read}: what comes before it was read"
