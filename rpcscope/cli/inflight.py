"""`rpcscope inflight`: what each process has in hand."""

from __future__ import annotations

import click

from rpcscope.cli import output
from rpcscope.cli.options import db_option, format_option, moment, opened
from rpcscope.errors import UsageError

SHOWN = 30
_WINDOW_NS = 600_000_000_000


@click.command("inflight")
@db_option()
@click.option("--since", metavar="TIME", help="Begin of the window: 2026-11-20T03:10, or 15m ago.  [default: 10 min]")
@click.option("--until", metavar="TIME", help="End of the window.  [default: the last that was recorded]")
@click.option(
    "--pool-size",
    type=click.IntRange(1, 100_000),
    default=64,
    show_default=True,
    help="Your executor_thread_pool_size.",
)
@click.option("--all", "everything", is_flag=True, help=f"More than the {SHOWN} most loaded.")
@format_option()
def inflight_command(
    db: str | None, since: str | None, until: str | None, pool_size: int, everything: bool, format_: str
) -> None:
    """Calls that were delivered and not answered, by process, beside the depth of its queues.

    A service takes calls from its queue before it works on them: a swamped one has an empty queue, and the work is
    here. Of casts nobody sees the end: they are not counted.
    """
    from rpcscope.cli.inflight_view import print_in_flight_over
    from rpcscope.query.gaps import gaps_touching
    from rpcscope.query.in_flight_over import in_flight_over

    with opened(db) as store:
        reader = store.reader()
        last_ns = max((info.last_ns for info in reader.recordings()), default=0)
        to_ns = moment(until, "--until") or last_ns
        from_ns = moment(since, "--since") or max(0, to_ns - _WINDOW_NS)
        if from_ns > to_ns:
            raise UsageError("the window ends before it begins: give --since a time before --until")
        found = in_flight_over(reader, from_ns, to_ns, limit=None if everything or format_ != "table" else SHOWN)
        missed = gaps_touching(reader, from_ns, to_ns)
    if format_ == "json":
        output.put_json(found.as_dict(pool_size))
    elif format_ == "csv":
        output.put_csv(row.summary(found.to_ns, pool_size) for row in found.rows)
    else:
        print_in_flight_over(found, pool_size, missed=missed, capped=None if everything else SHOWN)
