"""What notifications told of an operation and how far its migrations are, on the terminal."""

from __future__ import annotations

from rich.text import Text

from rpcscope.cli.fit import put_table
from rpcscope.cli.output import cell, console, heading, table
from rpcscope.model import Noted, ProgressSample
from rpcscope.query.beside import Beside
from rpcscope.query.notices import states
from rpcscope.query.progress import Migration, Pace
from rpcscope.query.times import ms
from rpcscope.query.words import amount, duration

_BAD = (Pace.NOT_CONVERGING, Pace.STANDING)
_SHOWN = 20
"""Samples of a migration that are shown: the newest."""


def print_beside(told: Beside, began: int) -> None:
    """Nothing where nothing was told."""
    if told.notices:
        heading("Notifications")
        lines = table(">ms", "event", "server is", "host", "by", "error")
        for one in told.notices:
            lines.add_row(*_notice(one, began))
        put_table(lines, spare=("by",), fold="event")
    for migration in told.migrations:
        _print_migration(migration, began)


def _notice(one: Noted, began: int) -> tuple[Text, ...]:
    percent = f" {one.notice.percent} %" if one.notice.percent is not None else ""
    return (
        cell(_at(one.at_ns, began)), cell(one.event), cell(f"{states(one)}{percent}"), cell(one.notice.host),
        cell(one.notice.publisher), cell(one.failure, "red"),
    )  # fmt: skip


def _print_migration(one: Migration, began: int) -> None:
    heading("Migration")
    line = Text.assemble(f"{one.last.instance or 'an unknown server'}  {one.last.progress.status or '?'}")
    if one.pace not in (Pace.UNKNOWN, Pace.OVER):
        line.append(f"  {one.pace.value}", "bold red" if one.pace in _BAD else "")
    if one.pace in _BAD:
        line.append(f" for {duration(one.still_ns)}", "bold red")
    if one.rate is not None:
        line.append(f"  {amount(one.rate)}/s sent")
    if one.remaining is not None and one.pace is not Pace.OVER:
        line.append(f"  {amount(one.remaining)} left of pass {one.passes}")
    if one.left_ns is not None:
        line.append(f": at least {duration(one.left_ns)} more")
    console().print(line)
    lines = table(">ms", "status", ">memory", ">sent", ">left", ">disk left")
    for sample in one.samples[-_SHOWN:]:
        lines.add_row(*_sample(sample, began))
    put_table(lines)
    if len(one.samples) > _SHOWN:
        console().print(f"The newest {_SHOWN} of {len(one.samples)}; --format json has all.")


def _sample(one: ProgressSample, began: int) -> tuple[Text, ...]:
    said = one.progress
    sizes = (said.memory_total, said.memory_processed, said.memory_remaining, said.disk_remaining)
    texts = ("?" if size is None else amount(size) for size in sizes)
    return (cell(_at(one.at_ns, began)), cell(said.status), *map(cell, texts))


def _at(at_ns: int, began: int) -> str:
    return f"{ms(at_ns - began) or 0.0:,.1f}"
