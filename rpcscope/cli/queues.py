"""`rpcscope queues`: how deep the queues are, and what is in them."""

from __future__ import annotations

from typing import Any

import click

from rpcscope.cli import output
from rpcscope.cli.options import broker_options, db_option, format_option, opened
from rpcscope.errors import UsageError

_PEEK = (
    "Look at the first N messages on the live broker instead, at most 50, and leave them there. Needs --transport-url "
    "or --config-file, and --management-url. Queues that might be harmed are refused."
)


@click.command("queues")
@click.argument("name", required=False)
@db_option()
@click.option("--all", "everything", is_flag=True, help="Queue by queue instead of by family.")
@click.option("--growing", is_flag=True, help="Only where more lies than a window ago.")
@click.option("--consumerless", is_flag=True, help="Only with queues that nobody consumes.")
@click.option(
    "--window",
    type=click.FloatRange(1, 86_400),
    default=600.0,
    show_default=True,
    help="Seconds that growth looks back.",
)
@click.option(
    "--back",
    type=click.FloatRange(1, 31 * 86_400),
    default=3_600.0,
    show_default=True,
    help="Seconds that casts which nobody takes are looked for.",
)
@click.option("--peek", "peek", type=click.IntRange(1, 50), metavar="N", help=_PEEK)
@click.option("--yes", is_flag=True, help="Do not ask before --peek.")
@broker_options
@format_option()
def queues_command(
    name: str | None, db: str | None, everything: bool, growing: bool, consumerless: bool, window: float, back: float,
    peek: int | None, yes: bool, format_: str, **where: Any,
) -> None:  # fmt: skip
    """Depth, consumers and rates of queue families, as of the newest poll.

    NAME is a queue such as conductor, or a family such as 'compute.*', whose queues are then listed, with what waits
    in them: published and not yet taken, by method, kind of operation and request.
    """
    if peek is None:
        _show(name, db, everything, growing, consumerless, window, back, format_)
        return
    from rpcscope.cli.peek import show_peek

    if name is None:
        raise UsageError("name the queue that --peek is to look into")
    show_peek(name, peek, db=db, yes=yes, format_=format_, where=where)


def _show(
    name: str | None, db: str | None, everything: bool, growing: bool, consumerless: bool, window: float, back: float,
    format_: str,
) -> None:  # fmt: skip
    from rpcscope.cli.queue_view import print_queues
    from rpcscope.cli.waiting_view import print_waiting
    from rpcscope.query.queues import queues
    from rpcscope.query.waiting import waiting
    from rpcscope.query.waiting_notes import notes

    with opened(db) as store:
        reader = store.reader()
        found = queues(reader, name, by_queue=everything, window_s=window)
        waits = [] if name is None else waiting(reader, name, back_s=back, sampled=found)
    if found.polls and name is not None and not found.rows and not any(one.has_any for one in waits):
        raise UsageError(f"no queue and no family is called {name!r}: `rpcscope queues` lists the families that are")
    rows = tuple(r for r in found.rows if (r.is_growing or not growing) and (r.consumerless or not consumerless))
    if format_ == "json":
        told = {"waiting": [{**one.as_dict(), "notes": notes(one)} for one in waits]} if name is not None else {}
        output.put_json({**found.as_dict(), "queues": [row.as_dict() for row in rows], **told})
    elif format_ == "csv":
        output.put_csv(row.as_dict() for row in rows)
    else:
        print_queues(found, rows, window_s=window, by_queue=everything or name is not None)
        print_waiting(waits)
