"""Tables for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

_FORMULA = ("=", "+", "-", "@", "\t")
PLAIN_WIDTH = 300
"""Columns of a table that goes to a file or a pipe."""


UNSEEN = "recorded in mode bindings, which sees requests alone: replies, deliveries and outcomes are unknown."


class _Screen(Console):
    def on_broken_pipe(self) -> None:
        """Rich would end the program with an error; who reads no further is no error."""
        raise BrokenPipeError


def console() -> Console:
    """Where tables go: as wide as the terminal, or wide enough for a file."""
    screen = _Screen(highlight=False)
    return screen if screen.is_terminal else _Screen(highlight=False, width=PLAIN_WIDTH)


def put_json(value: object) -> None:
    """One JSON value."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=True)
    sys.stdout.write("\n")


def put_json_rows(rows: Iterable[Mapping[str, Any]]) -> None:
    """A JSON array, a row at a time, so that millions of rows need no memory."""
    first = True
    for row in rows:
        sys.stdout.write("[\n" if first else ",\n")
        sys.stdout.write(json.dumps(row, ensure_ascii=True))
        first = False
    sys.stdout.write("[]\n" if first else "\n]\n")


def put_csv(rows: Iterable[Mapping[str, Any]]) -> None:
    """CSV with a header; nested fields get dotted names, lists of words are joined by spaces, others counted."""
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        flat = _flat(row)
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(flat), extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
        writer.writerow({key: _guard(value) for key, value in flat.items()})


def _flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = _cell_of(value) if isinstance(value, list) else value
    return flat


def _cell_of(values: list[Any]) -> str | int:
    """Words side by side; of records their number."""
    if any(isinstance(value, Mapping) for value in values):
        return len(values)
    return " ".join(map(str, values))


def _guard(value: Any) -> Any:
    """A cell that a spreadsheet would run as a formula is quoted."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def table(*columns: str, title: str | None = None, headless: bool = False) -> Table:
    """An empty table, to be printed by `fit.put_table`. A column that begins with `>` is for numbers."""
    made = Table(
        title=title, title_justify="left", title_style="bold", header_style="bold", show_header=not headless,
        box=None, pad_edge=False,
    )  # fmt: skip
    for column in columns:
        justify: JustifyMethod = "right" if column.startswith(">") else "left"
        made.add_column(column.removeprefix(">"), justify=justify, no_wrap=True)
    return made


def heading(text: str) -> None:
    """A line that begins a part of a longer output."""
    console().print(Text.assemble("\n", (text, "bold"), "\n", ("-" * len(text), "dim")))


def cell(value: object, style: str = "") -> Text:
    """Text as it is: nothing in it is markup."""
    return Text("" if value is None else str(value), style=style)


def number(value: float | None, digits: int = 0) -> str:
    """A number with thousands separated; nothing for None."""
    return "" if value is None else f"{value:,.{digits}f}"


def at_least(known: str, *, unseen: bool) -> str:
    """What is known, with a question mark for what may be added to it."""
    return f"{known} + ?" if unseen else known


def size(count: float | None) -> str:
    """Bytes in kB of 1000, as they are counted on the wire."""
    return "" if count is None else f"{count / 1000:,.1f} kB"


def plain(spread: Mapping[str, float | None]) -> str:
    """One number when all operations agree, else the median and the 95th percentile."""
    p50, p95, top = spread["p50"], spread["p95"], spread["max"]
    if p50 is None:
        return ""
    if p50 == top:
        return f"{p50:,.0f}"
    return f"{p50:,.0f} (p95 {p95:,.0f})"
