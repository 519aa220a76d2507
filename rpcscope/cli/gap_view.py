"""The mark at a total that a gap touches, and the line below it."""

from __future__ import annotations

from collections.abc import Iterable

from rpcscope.cli.output import cell, console
from rpcscope.query.gap_words import MARK, blind
from rpcscope.query.gaps import Loss, together


def marked(total: str, losses: Iterable[Loss] | bool) -> str:
    """A total, with a mark when messages of it may have been missed."""
    return f"{total}{MARK}" if total and any_of(losses) else total


def any_of(losses: Iterable[Loss] | bool) -> bool:
    """Whether something was missed."""
    return losses if isinstance(losses, bool) else any(True for _ in losses)


def print_gaps(touched: Iterable[Iterable[Loss]], what: str = "at least so many") -> None:
    """One line for all marks above it; nothing when nothing was missed."""
    losses = together(touched)
    if losses:
        console().print(cell(f"{MARK} {what}: {blind(losses)}."))
