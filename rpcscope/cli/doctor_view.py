"""Red flags on a screen."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import TextWrapper

from rich.console import Console
from rich.text import Text

from rpcscope.cli.output import cell, console
from rpcscope.doctor import CHECKS, Facts, Level, RedFlag, Subject
from rpcscope.query.times import iso

_STYLES = {Level.BAD: "bold red", Level.WARN: "bold yellow", Level.INFO: "bold cyan"}
_WIDEST = 110


def print_flags(facts: Facts, flags: Sequence[RedFlag]) -> None:
    """The worst first, and what was looked at."""
    screen = console()
    for flag in flags:
        _print(screen, flag)
    screen.print(cell(_looked(facts, flags)))


def _print(screen: Console, flag: RedFlag) -> None:
    word = Text(f"{flag.level.word.upper():<5}", _STYLES[flag.level])
    screen.print(Text.assemble(word, (flag.title, "bold"), ("  ", ""), (flag.name, "dim")))
    for row in flag.evidence:
        key = f" ({row.key})" if row.subject in (Subject.OPERATION, Subject.INSTANCE) and row.key else ""
        screen.print(Text.assemble("     - ", (row.what, "bold"), f"{key}: {row.said}"), soft_wrap=True)
    if flag.more:
        screen.print(cell(f"     - and {flag.more:,} more"))
    for word_, said in (("why", flag.why), ("do", flag.todo)):
        for line in _wrapped(screen, word_, said):
            screen.print(cell(line))
    screen.print()


def _wrapped(screen: Console, word: str, said: str) -> list[str]:
    width = min(screen.width, _WIDEST)
    return TextWrapper(width=width, initial_indent=f"     {word:<4}", subsequent_indent=" " * 9).wrap(said)


def _looked(facts: Facts, flags: Sequence[RedFlag]) -> str:
    begin = iso(facts.from_ns)
    time = f"from {begin[:19]}Z" if begin else "from the beginning"
    until = f"to {(iso(facts.to_ns) or '?')[:19]}Z"
    up = f"{len(flags)} of {len(CHECKS)} red flags are up" if flags else f"None of {len(CHECKS)} red flags is up"
    newest = iso(facts.signs.since_ns)
    less = f"; of its calls only the newest, since {newest[:19]}Z" if newest else ""
    polls = "" if facts.polled_ns else "; no queue was sampled in it, so nothing is known of queues and nodes"
    return f"{up}, {time} {until}{less}{polls}."
