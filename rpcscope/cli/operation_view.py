"""Lists of operations."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from rpcscope.cli.fit import put_table
from rpcscope.cli.gap_view import marked, print_gaps
from rpcscope.cli.output import UNSEEN, at_least, cell, console, heading, number, size, table
from rpcscope.query.gaps import Loss
from rpcscope.query.in_flight import InFlight
from rpcscope.query.operations import OperationView
from rpcscope.query.times import iso, ms

END_MISSED = "it may have ended while the tap was blind, so nobody can say that it failed or is stuck."
STYLES = {"failed": "red", "stuck": "bold red", "running": "yellow", "unknown": "dim"}


def print_operations(views: list[OperationView], *, capped: int | None, missed: Sequence[Loss] = ()) -> None:
    """A line per operation. `missed`: what touches the time that is listed."""
    screen = console()
    if not views:
        screen.print("No operation matches. `--all` shows timers and start-up too.")
        print_gaps([missed], "operations may be missing")
        return
    lines = table(
        "started", "kind", "status", ">ms", ">RPCs", ">messages", ">bytes", "hosts", "servers", "error", "request id"
    )
    for view in views:
        o = view.whole
        status = view.status.name.lower()
        lines.add_row(
            cell(_moment(o.started_ns)[:19]), cell(o.kind or "?"), cell(status, STYLES.get(status, "")),
            number(ms(view.duration_ns)), marked(number(o.by_request.rpcs), view.gaps),
            marked(at_least(number(o.by_request.messages), unseen=view.requests_only), view.gaps),
            marked(_bytes(view), view.gaps),
            cell(_hosts(view)), cell(_servers(o.instances)), cell(o.error), cell(o.request_id or "(none)"),
        )  # fmt: skip
    put_table(lines, spare=("servers", "bytes", "hosts", "RPCs", "error", "messages", "started"))
    print_gaps([missed, *(view.gaps for view in views)], "at least so many, and operations may be missing")
    if any(view.is_in_doubt for view in views):
        screen.print(f"unknown: {END_MISSED}")
    if any(view.requests_only for view in views):
        screen.print(f"?: {UNSEEN}")
    if capped is not None and len(views) == capped:
        screen.print(f"The newest {capped}; --limit N or --all for more.")


def print_stuck(views: list[OperationView], *, unseen: bool = False, missed: Sequence[Loss] = ()) -> None:
    """A few lines per unfinished operation: who owes the next step.

    Args:
        unseen: some recordings show no replies.
        missed: when taps were blind.
    """
    screen = console()
    if unseen:
        screen.print("Recordings in mode bindings show no replies: which calls wait for one there is unknown.")
    if not views:
        screen.print("Nothing is in flight or stuck.")
    for view in views:
        o, status = view.whole, view.status.name.lower()
        head = Text.assemble((o.kind or "?", "bold"), "  ", (status, STYLES.get(status, "")), f"  {o.request_id}")
        screen.print(head)
        screen.print(cell(f"  waits for    {view.owed.method if view.owed else 'nothing that is known'}"))
        if view.owed is not None:
            screen.print(cell(f"  owed by      {_debtor(view)}"))
            screen.print(cell(f"  since        {_moment(view.owed.since_ns)}"))
        screen.print(cell(f"  last step    {_moment(o.last_ns)}"))
        if o.instances:
            screen.print(cell(f"  servers      {_servers(o.instances)}"))
        if view.is_in_doubt:
            screen.print(cell(f"  in doubt     {END_MISSED}"))
    print_gaps([missed], "messages of these, and whole operations, may be missing")


def print_in_flight(rows: list[InFlight]) -> None:
    """A line per process and method that works, or queue that waits."""
    if not rows:
        return
    heading("Calls in hand")
    lines = table("process", "host", "method", ">calls", "oldest since")
    for row in rows:
        who = row.process or f"nobody: in the queue {row.queue}"
        lines.add_row(cell(who), cell(row.host), cell(row.method), number(row.count), cell(_moment(row.oldest_ns)))
    put_table(lines, spare=("host",), fold="method")


def _moment(ns: int | None) -> str:
    return (iso(ns) or "")[:23]


def _debtor(view: OperationView) -> str:
    owed = view.owed
    if owed is None:
        return "?"
    if owed.taker_unseen:
        return f"{owed.host or 'somebody'}; who took it is unknown, because deliveries were not seen"
    if not owed.process:
        return f"nobody took it from the queue of {owed.host}" if owed.host else "nobody took it from its queue"
    where = f"{owed.process} on {owed.host}" if owed.host else owed.process
    return f"{where}, which is gone" if owed.process_gone else where


def _hosts(view: OperationView) -> str:
    o = view.whole
    if o.source_host and o.dest_host:
        return f"{o.source_host} > {o.dest_host}"
    return o.dest_host or o.source_host


def _servers(instances: tuple[str, ...]) -> str:
    if len(instances) == 1:
        return instances[0]
    return f"{len(instances)} servers" if instances else ""


def _bytes(view: OperationView) -> str:
    """Those who tell of themselves by spans do not say how large a message was."""
    tally = view.whole.by_request
    if tally.messages and not tally.bytes:
        return "?"
    return at_least(size(tally.bytes), unseen=view.requests_only)
