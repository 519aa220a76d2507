"""Rows as lines of text: CSV and JSON lines. Times are ISO 8601, UTC, to the nanosecond."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from rpcscope.export.files.column import Column, Row, Type

_HOSTILE = ("=", "+", "-", "@", "\t", "\r", "\n")
_SECOND = 1_000_000_000


def write_csv(path: Path, columns: tuple[Column, ...], rows: Iterable[Row]) -> int:
    """How many rows. What is unknown is an empty cell, a list is joined by spaces."""
    types = [column.type for column in columns]
    written = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow([column.name for column in columns])
        for row in rows:
            out.writerow([cell(value, type) for value, type in zip(row, types, strict=True)])
            written += 1
    return written


def write_jsonl(path: Path, columns: tuple[Column, ...], rows: Iterable[Row]) -> int:
    """How many rows. What is unknown is null."""
    names = [(place, column.name, column.type == "time") for place, column in enumerate(columns)]
    written = 0
    with path.open("wb") as file:
        for row in rows:
            line = {name: moment(row[place]) if is_time else row[place] for place, name, is_time in names}
            file.write(orjson.dumps(line) + b"\n")
            written += 1
    return written


def cell(value: Any, type: Type) -> Any:
    """A value for CSV. A text that a spreadsheet would take for a formula has an apostrophe before it."""
    if value is None:
        return ""
    if type == "time":
        return moment(value)
    if type == "bool":
        return "true" if value else "false"
    if type in ("text", "texts"):
        text = " ".join(value) if type == "texts" else value
        return f"'{text}" if text.startswith(_HOSTILE) else text
    return value


def moment(ns: int | None) -> str | None:
    """2026-11-20T17:00:00.123456789Z."""
    if ns is None:
        return None
    seconds, rest = divmod(ns, _SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
