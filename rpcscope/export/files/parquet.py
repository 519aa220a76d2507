"""Rows as Parquet, a group of rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from rpcscope.export.files.column import Column, Row

GROUP = 20_000
"""Rows that are in memory at once: some 20 MB."""


def write_parquet(path: Path, columns: tuple[Column, ...], rows: Iterable[Row]) -> int:
    """How many rows. What is unknown is NULL; meanings of the columns are in the file's schema."""
    pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")
    schema = _schema(pa, columns)
    written = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as out:
        for group in _groups(rows):
            columns_of = zip(zip(*group, strict=True), schema, strict=True)
            arrays = [pa.array(values, type=field.type) for values, field in columns_of]
            out.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=GROUP)
            written += len(group)
    return written


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    stream = iter(rows)
    while group := list(islice(stream, GROUP)):
        yield group


def _schema(pa: Any, columns: tuple[Column, ...]) -> Any:
    types = {
        "text": pa.string(), "texts": pa.list_(pa.string()), "int": pa.int64(), "float": pa.float64(),
        "bool": pa.bool_(), "time": pa.timestamp("ns", tz="UTC"),
    }  # fmt: skip
    fields = [
        pa.field(column.name, types[column.type], metadata={"meaning": column.meaning} if column.meaning else None)
        for column in columns
    ]
    return pa.schema(fields)
