"""Tables on a terminal that is too narrow for them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from rpcscope.cli.output import console

_ENDLESS = 100_000
_NARROWEST = 24
"""Characters of a folded column; less can not be read."""


def put_table(lines: Table, *, spare: Sequence[str] = (), fold: str = "") -> None:
    """Print a table so that no value is cut.

    Where it is too wide, the column `fold` is broken over lines, then the columns of `spare` go, the first first;
    what is too wide even then is left to the terminal.
    """
    screen, left_out = console(), list[str]()
    for name in spare:
        if _needs(screen, lines, fold) <= screen.width:
            break
        if any(column.header == name for column in lines.columns):
            lines = _without(lines, name)
            left_out.append(name)
    _fold(screen, lines, fold)
    window = screen.width
    screen.width = max(window, _width(screen, lines))
    screen.print(lines)
    screen.width = window
    if left_out:
        screen.print(f"Not shown here, in a wider window or by --format json: {', '.join(left_out)}.", style="dim")


def _width(screen: Console, lines: Table) -> int:
    return Measurement.get(screen, screen.options.update(width=_ENDLESS), lines).maximum


def _needs(screen: Console, lines: Table, fold: str) -> int:
    """The least width, with the folded column at its narrowest."""
    widest = next((_column_width(screen, lines, i) for i, c in enumerate(lines.columns) if c.header == fold), 0)
    return _width(screen, lines) - max(0, widest - _NARROWEST)


def _column_width(screen: Console, lines: Table, index: int) -> int:
    column = lines.columns[index]
    return max(Measurement.get(screen, screen.options, cell).maximum for cell in [column.header, *column.cells])


def _fold(screen: Console, lines: Table, fold: str) -> None:
    excess = _width(screen, lines) - screen.width
    for index, column in enumerate(lines.columns):
        if column.header == fold and excess > 0:
            column.no_wrap, column.overflow = False, "fold"
            column.max_width = max(_NARROWEST, _column_width(screen, lines, index) - excess)


def _without(lines: Table, name: str) -> Table:
    kept = [column for column in lines.columns if column.header != name]
    made = Table(
        title=lines.title, title_justify="left", title_style=lines.title_style, header_style=lines.header_style,
        show_header=lines.show_header, box=None, pad_edge=False,
    )  # fmt: skip
    for column in kept:
        made.add_column(column.header, justify=column.justify, no_wrap=True)
    for row in zip(*(column.cells for column in kept), strict=True):
        made.add_row(*row)
    return made
