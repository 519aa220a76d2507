"""Work in flight on a screen: a line for each process and each queue, with what it was over the window."""

from __future__ import annotations

from collections.abc import Sequence

from rpcscope.cli.fit import put_table
from rpcscope.cli.gap_view import print_gaps
from rpcscope.cli.output import cell, console, number, table
from rpcscope.query.gaps import Loss
from rpcscope.query.steps import Number, Steps, buckets, peak, value_at
from rpcscope.query.times import iso
from rpcscope.query.words import duration
from rpcscope.query.work import InFlightOver, Work, waiting

_BARS = "▁▂▃▄▅▆▇█"
_UNKNOWN = "·"
_WIDTH = 30
_METHODS = 2


def print_in_flight_over(found: InFlightOver, pool_size: int, *, missed: Sequence[Loss], capped: int | None) -> None:
    """As of when, rows, what is not known."""
    screen = console()
    if not found.is_known:
        screen.print(
            "Unknown: no recording of this time tells who takes calls and how they end; "
            "`rpcscope record --mode control` does."
        )
        return
    window = duration(found.to_ns - found.from_ns)
    screen.print(cell(f"Calls in flight as of {iso(found.to_ns)}, and over the {window} before"))
    screen.print()
    if not found.rows:
        screen.print("Nothing was in flight for longer than a moment.")
    else:
        _put_rows(found, pool_size)
    print_gaps([missed], "answers may have been missed: counts may be too high until their callers' time is over")
    if capped is not None and len(found.rows) == capped:
        screen.print(f"The {capped} most loaded; --all for more.")


def _put_rows(found: InFlightOver, pool_size: int) -> None:
    lines = table(
        "process", "host", ">in flight", ">waiting", ">oldest", ">most", ">most waiting", ">depth", ">most depth",
        "over time", "methods",
    )  # fmt: skip
    for row in found.rows:
        now, most = value_at(row.total, found.to_ns), peak(row.total)
        wait, longest = ("" if row.queue else _at_least(waiting(count, pool_size)) for count in (now, most))
        lines.add_row(
            cell(_who(row)), cell(row.host), _count(now), wait,
            duration(found.to_ns - row.oldest_ns) if row.oldest_ns else "", _count(most), longest,
            _count(value_at(row.depth, found.to_ns)), _count(peak(row.depth)),
            cell(spark(row.total, found.from_ns, found.to_ns)), cell(_methods(row)),
        )  # fmt: skip
    put_table(lines, spare=("methods", "host", "most depth", "oldest"))
    screen = console()
    screen.print()
    screen.print(
        cell(
            f"waiting: at least so many wait in the process for one of {pool_size:,} threads (--pool-size). "
            "depth: messages in its queues, as the broker says. ?: unknown. Casts are not counted."
        )
    )


def spark(steps: Steps, from_ns: int, to_ns: int) -> str:
    """The highest of each thirtieth of a time, as bars; a dot is unknown."""
    values = buckets(steps, from_ns, to_ns, _WIDTH) if to_ns > from_ns else []
    top = max((value for value in values if value), default=1)
    return "".join(_UNKNOWN if value is None else _bar(value, top) for value in values)


def _bar(value: int, top: int) -> str:
    """Nothing but zero has the lowest."""
    return _BARS[-(-value * (len(_BARS) - 1) // top)]


def _who(row: Work) -> str:
    return f"nobody: in the queue {row.queue}" if row.queue else row.process or "?"


def _count(value: Number) -> str:
    return "?" if value is None else number(value)


def _at_least(value: Number) -> str:
    return "?" if value is None else f"{value:,}" if not value else f">= {value:,}"


def _methods(row: Work) -> str:
    shown = [f"{method} {peak(steps):,}" for method, steps in list(row.methods.items())[:_METHODS]]
    more = len(row.methods) - _METHODS
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
