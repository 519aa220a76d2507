"""Queues on a screen: when it was, the alarms, and a line for each family or queue."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from rpcscope.cli.output import cell, console, number, size, table
from rpcscope.model import QueuePoll
from rpcscope.query.alarms import alarms, distinct
from rpcscope.query.queues import QueueRow, Queues, share
from rpcscope.query.times import MS, SECOND, iso

_MORE = "rpcscope record --prometheus-url http://<host>:15692"


def print_queues(found: Queues, rows: Sequence[QueueRow], *, window_s: float, by_queue: bool) -> None:
    """As of when, alarms, rows."""
    screen = console()
    if not found.polls:
        screen.print(cell(f"No queue was sampled yet: `{_MORE}` or a --management-url fills the database."))
        return
    for poll in found.polls:
        screen.print(cell(_as_of(poll)))
    for node in distinct(found.nodes):
        for sentence in alarms(node):
            screen.print(cell(sentence, "bold red"))
    screen.print()
    screen.print(_table(rows, by_queue=by_queue, vhosts=len(found.polls) > 1))
    screen.print()
    screen.print(cell(f"Empty: unknown. growth: messages more than {window_s:,.0f} s before."))


def _as_of(poll: QueuePoll) -> str:
    part = share(poll)
    cost = "" if part is None else f", the last took {poll.took_ns / MS:,.0f} ms: {part:.2%} of a broker core at most"
    whole = "" if poll.complete else "; not known to be every node's: totals may be too low"
    return (
        f"As of {iso(poll.at_ns)}, vhost {poll.vhost}: {poll.queues:,} queues by {poll.source}, looked at every "
        f"{poll.interval_ns / SECOND:,.0f} s{cost}{whole}"
    )


def _table(rows: Sequence[QueueRow], *, by_queue: bool, vhosts: bool) -> Table:
    counts = [">ready", ">unacked", ">growth", ">consumers"]
    kind = ["type", "node", "state"] if by_queue else [">queues", ">consumerless"]
    measures = [">memory", ">publish/s", ">deliver/s", ">ack/s"]
    lines = table(*(["vhost"] if vhosts else []), "queue" if by_queue else "family", *counts, *kind, *measures)
    for row in rows:
        own = [cell(row.type), cell(row.node), cell(row.state)] if by_queue else []
        own = own or [cell(number(row.queues)), cell(number(row.consumerless))]
        lines.add_row(
            *([cell(row.vhost)] if vhosts else []), cell(row.name, "bold" if row.is_growing else ""),
            number(row.ready), number(row.unacked), _signed(row.growth), number(row.consumers), *own, size(row.memory),
            number(row.publish_rate, 1), number(row.deliver_rate, 1), number(row.ack_rate, 1),
        )  # fmt: skip
    return lines


def _signed(count: int | None) -> str:
    return "" if count is None else f"{count:+,}" if count else "0"
