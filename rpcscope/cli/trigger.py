"""`rpcscope trigger`: ask a flight recorder to look closer."""

from __future__ import annotations

import time

import click

from rpcscope.cli.asked import LOOK_S
from rpcscope.cli.options import db_option, opened
from rpcscope.errors import RpcscopeError, UsageError

_HEARD_S = 5 * LOOK_S
_LONGEST_WHY = 200


@click.command("trigger")
@db_option()
@click.option("--name", default="", help="Of the recorder, as given to `rpcscope record`; without it all of them.")
@click.option(
    "--minutes", type=click.FloatRange(0, 1440, min_open=True), metavar="N", help="How long; else its --flight-minutes."
)
@click.option("--why", default="asked by hand", show_default=True, metavar="TEXT", help="Stored with the phase.")
def trigger_command(db: str | None, name: str, minutes: float | None, why: str) -> None:
    """Have the flight recorders that write to this database look closer now, and wait until one says it does.

    Also while they cool down; not while the broker can not bear it.
    """
    if not (shown := "".join(filter(str.isprintable, why)).strip()):
        raise UsageError("--why wants a few words that can be read")
    with opened(db) as store:
        number = store.writer().ask(
            at_ns=time.time_ns(), name=name, why=f"trigger: {shown[:_LONGEST_WHY]}", minutes=minutes or 0.0
        )
        reader, deadline = store.reader(), time.monotonic() + _HEARD_S
        while not any(one.id == number and one.taken_ns is not None for one in reader.triggers(number - 1)):
            if time.monotonic() >= deadline:
                raise RpcscopeError(_nobody(name))
            time.sleep(LOOK_S / 10)
    click.echo("A flight recorder took it; `rpcscope status` tells what it sees now.")


def _nobody(name: str) -> str:
    who = f"no flight recorder named {name!r}" if name else "no flight recorder"
    return f"{who} heard it within {_HEARD_S:.0f} s: see `rpcscope status`, and start `rpcscope record --flight`"
