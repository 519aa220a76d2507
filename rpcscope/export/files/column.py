"""A table to write: its columns, what they mean, and where their values come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from rpcscope.export.files.wanted import Wanted
from rpcscope.store.protocol import Reader

Type = Literal["text", "texts", "int", "float", "bool", "time"]
"""`texts` is a list of texts, `time` is nanoseconds since the epoch, UTC."""
Row = tuple[Any, ...]
"""Values in the order of the columns; None is unknown, or there is none."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    type: Type
    meaning: str  # with its unit
    of: Callable[[Any], Any]  # its value of what a row is made of


@dataclass(frozen=True, slots=True)
class Table:
    """One table: a file each."""

    name: str
    meaning: str  # of a row
    columns: tuple[Column, ...]
    read: Callable[[Reader, Wanted], Iterator[Any]]  # what rows are made of, a page in memory at a time

    def rows(self, reader: Reader, wanted: Wanted) -> Iterator[Row]:
        """Its rows, as a stream."""
        takers = [column.of for column in self.columns]
        for one in self.read(reader, wanted):
            yield tuple(take(one) for take in takers)
