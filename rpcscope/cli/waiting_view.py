"""What is in a queue, on a screen: how much waits, since when, of which kinds, and what the broker says."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from rpcscope.cli.fit import put_table
from rpcscope.cli.output import cell, console, size, table
from rpcscope.query.times import iso
from rpcscope.query.waiting import Share, Waiting
from rpcscope.query.waiting_notes import notes
from rpcscope.query.words import duration

_ROWS = 10
"""Rows of each table; the rest is for programs."""


def print_waiting(found: Sequence[Waiting]) -> None:
    """A block for each broker."""
    screen = console()
    for one in found:
        screen.print()
        screen.print(Text.assemble(("What waits in ", "bold"), (one.queue, "bold"), f": {one.watch.broker}"))
        screen.print(cell(f"As of {iso(one.watch.as_of_ns)}, by what was recorded in mode {one.watch.mode}."))
        if not one.unknown:
            _put_numbers(one)
        for sentence in notes(one):
            screen.print(cell(sentence))


def _put_numbers(one: Waiting) -> None:
    screen = console()
    oldest = f", the oldest for {duration(age)}" if (age := one.age_ns(one.oldest_ns)) is not None else ""
    screen.print(cell(f"  by messages  {one.count:,} published and not taken, {size(one.bytes)}{oldest}"))
    if one.depth is not None:
        ready, unacked = (_or_unknown(count) for count in (one.depth.ready, one.depth.unacked))
        screen.print(cell(f"  by broker    {ready} ready, {unacked} unacknowledged at {iso(one.depth.at_ns)}"))
    parts = (("method", one.by_method), ("kind of operation", one.by_kind), ("request id", one.by_request))
    for title, shares in (*parts, ("queue", one.by_queue if len(one.by_queue) > 1 else ())):
        if shares:
            screen.print()
            put_table(_table(one, title, shares))
            if len(shares) > _ROWS:
                screen.print(cell(f"and {len(shares) - _ROWS:,} more: --format json has all.", "dim"))
    screen.print()


def _table(one: Waiting, title: str, shares: Sequence[Share]) -> Table:
    lines = table(title, ">messages", ">bytes", ">oldest")
    for share in shares[:_ROWS]:
        age_ns = one.age_ns(share.oldest_ns)
        oldest = "" if age_ns is None else duration(age_ns)
        lines.add_row(cell(share.name or "unknown"), cell(f"{share.count:,}"), size(share.bytes), oldest)
    return lines


def _or_unknown(count: int | None) -> str:
    return "an unknown number" if count is None else f"{count:,}"
