"""From a plan to a run: shown, asked for, played, summed up."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rpcscope.cli.cleaning import own
from rpcscope.cli.ending import unwinding
from rpcscope.cli.ground import Ground, ground
from rpcscope.cli.options import default_database, opened
from rpcscope.cli.output import put_json
from rpcscope.errors import UsageError

if TYPE_CHECKING:
    from rpcscope.cli.performance import Performance
    from rpcscope.cli.run_options import RunOptions
    from rpcscope.store.run_rows import Run
    from rpcscope.store.store import Store

INTERRUPTED = 130
_LONGEST = 200


def carry_out(performance: Performance, options: RunOptions, show: Callable[[], None]) -> int:
    """Play it, and tell what came of it; the exit code. `show` prints the plan.

    Raises:
        UsageError: it can not be played.
        BrokerError: the broker refused, or failed meanwhile.
    """
    if len(options.label) > _LONGEST or not options.label.isprintable():
        raise UsageError(f"--label wants at most {_LONGEST} printable characters")
    if options.format_ == "json" and options.dry_run:
        put_json({"asked": performance.asked, "expected": performance.expected})
        return 0
    if options.format_ == "table":
        show()
    if options.dry_run:
        return 0
    if not options.yes and sys.stdin.isatty() and not click.confirm("Begin?", default=True, err=True):
        return 0
    with opened(options.db, create=True) as store:
        code = _played(performance, options, store)
        if options.serve and code != INTERRUPTED:
            from rpcscope.cli.serve import serve_anywhere

            serve_anywhere(store)
    return code


def _played(performance: Performance, options: RunOptions, store: Store) -> int:
    from rpcscope.cli.playing import Playing
    from rpcscope.cli.progress import Board

    board = Board(performance.expected)
    playing = Playing(performance, store, options.db or default_database(), board, options.label)
    try:
        with unwinding(), tempfile.TemporaryDirectory(prefix="rpcscope-run-") as folder:
            own(Path(folder))
            board.say("starting a private RabbitMQ" if not options.transport_url else "making a vhost")
            with _ground(performance, options) as place:
                run = playing.on(place, Path(folder))
    finally:
        board.close()
    for warning in playing.warnings:
        click.echo(f"rpcscope: {warning}", err=True)
    _sum_up(store, run, options)
    if playing.failure is not None:
        raise playing.failure
    return INTERRUPTED if playing.is_interrupted else 0


def _ground(performance: Performance, options: RunOptions) -> AbstractContextManager[Ground]:
    return ground(options.transport_url, options.management_url, performance.expected["idle"]["connections"])


def _sum_up(store: Store, run: Run, options: RunOptions) -> None:
    from rpcscope.cli.run_view import print_run
    from rpcscope.query.runs import compared

    found = compared(store.reader(), run, all_methods=True)
    if options.format_ == "json":
        put_json(found.as_dict())
    else:
        print_run(found)
