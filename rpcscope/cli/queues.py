"""`rpcscope queues`: how deep the queues are."""

from __future__ import annotations

import click

from rpcscope.cli import output
from rpcscope.cli.options import db_option, format_option, opened
from rpcscope.errors import UsageError


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
@format_option()
def queues_command(
    name: str | None, db: str | None, everything: bool, growing: bool, consumerless: bool, window: float, format_: str
) -> None:
    """Depth, consumers and rates of queue families, as of the newest poll.

    NAME is a queue such as conductor, or a family such as 'compute.*', whose queues are then listed.
    """
    from rpcscope.cli.queue_view import print_queues
    from rpcscope.query.queues import queues

    with opened(db) as store:
        found = queues(store.reader(), name, by_queue=everything, window_s=window)
    if name is not None and found.polls and not found.rows:
        raise UsageError(f"no queue and no family is called {name!r}: `rpcscope queues` lists the families that are")
    rows = tuple(r for r in found.rows if (r.is_growing or not growing) and (r.consumerless or not consumerless))
    if format_ == "json":
        output.put_json({**found.as_dict(), "queues": [row.as_dict() for row in rows]})
    elif format_ == "csv":
        output.put_csv(row.as_dict() for row in rows)
    else:
        print_queues(found, rows, window_s=window, by_queue=everything or name is not None)
