"""`rpcscope doctor`: red flags, with what to do about each."""

from __future__ import annotations

import time

import click

from rpcscope.cli import output
from rpcscope.cli.options import db_option, format_option, moment, opened
from rpcscope.errors import UsageError

_HOUR_NS = 3_600_000_000_000


@click.command("doctor")
@db_option()
@click.option("--since", metavar="TIME", help="Begin: 2026-11-20T03:10, or 15m ago.  [default: an hour before the end]")
@click.option("--until", metavar="TIME", help="End.  [default: now; of what nobody records, the last event]")
@click.option("--all", "everything", is_flag=True, help="All that is stored, from its beginning.")
@click.option(
    "--stuck-after", type=click.FloatRange(1, 86_400), default=60.0, show_default=True,
    help="Seconds without a step until an operation is stuck.",
)  # fmt: skip
@format_option("table", "json")
def doctor_command(
    db: str | None, since: str | None, until: str | None, everything: bool, stuck_after: float, format_: str
) -> int:
    """What is wrong or about to be: the evidence, why it matters, what to do.

    Ends with 1 when a flag of level `bad` is up, else with 0. docs/flags.md describes all flags.
    """
    from rpcscope.cli.doctor_view import print_flags
    from rpcscope.doctor import Level, ask, examine
    from rpcscope.query.now import as_of
    from rpcscope.query.times import iso

    if everything and since:
        raise UsageError("give --all or --since, not both")
    with opened(db) as store:
        reader, clock_ns = store.reader(), time.time_ns()
        to_ns = moment(until, "--until") or as_of(reader, clock_ns).at_ns
        from_ns = 0 if everything else moment(since, "--since") or to_ns - _HOUR_NS
        if from_ns >= to_ns:
            raise UsageError("the time ends before it begins: exchange --since and --until")
        facts = ask(reader, from_ns, to_ns, clock_ns, stuck_after_s=stuck_after)
    flags = examine(facts)
    if format_ == "json":
        looked = {"from": iso(from_ns), "to": iso(to_ns), "calls_since": iso(facts.signs.since_ns)}
        output.put_json({**looked, "flags": [flag.as_dict() for flag in flags]})
    else:
        print_flags(facts, flags)
    return int(any(flag.level is Level.BAD for flag in flags))
