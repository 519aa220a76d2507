"""`rpcscope status`: how the recorders fare."""

from __future__ import annotations

import time

import click

from rpcscope.cli import output
from rpcscope.cli.options import db_option, format_option, opened


@click.command("status")
@db_option()
@click.option("--all", "everything", is_flag=True, help="Every live recording instead of the newest of each tap.")
@format_option("table", "json")
def status_command(db: str | None, everything: bool, format_: str) -> None:
    """Which recorders run, how far behind they are, what they missed, and what they cost.

    A recorder reports to the database every 5 seconds.
    """
    from rpcscope.cli.status_view import print_status
    from rpcscope.query.status import recorders

    with opened(db) as store:
        found = recorders(store.reader(), time.time_ns(), everything=everything, clocks=True)
    if format_ == "json":
        output.put_json([one.as_dict() for one in found])
    else:
        print_status(found)
