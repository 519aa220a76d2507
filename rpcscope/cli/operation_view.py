"""Lists of operations."""

from __future__ import annotations

from rich.text import Text

from rpcscope.cli.fit import put_table
from rpcscope.cli.output import UNSEEN, at_least, cell, console, heading, number, size, table
from rpcscope.query.in_flight import InFlight
from rpcscope.query.operations import OperationView
from rpcscope.query.times import iso, ms

STYLES = {"failed": "red", "stuck": "bold red", "running": "yellow", "unknown": "dim"}


def print_operations(views: list[OperationView], *, capped: int | None) -> None:
    """A line per operation."""
    screen = console()
    if not views:
        screen.print("No operation matches. `--all` shows timers and start-up too.")
        return
    lines = table(
        "started", "kind", "status", ">ms", ">RPCs", ">messages", ">bytes", "hosts", "servers", "error", "request id"
    )
    for view in views:
        o = view.whole
        status = view.status.name.lower()
        lines.add_row(
            cell(_moment(o.started_ns)[:19]), cell(o.kind or "?"), cell(status, STYLES.get(status, "")),
            number(ms(view.duration_ns)), number(o.by_request.rpcs),
            at_least(number(o.by_request.messages), unseen=view.requests_only) + ("*" if view.gaps else ""),
            at_least(size(o.by_request.bytes), unseen=view.requests_only),
            cell(_hosts(view)), cell(_servers(o.instances)), cell(o.error), cell(o.request_id or "(none)"),
        )  # fmt: skip
    put_table(lines, spare=("servers", "bytes", "hosts", "RPCs", "error", "messages", "started"))
    if any(view.gaps for view in views):
        screen.print("* the tap was blind at some time during it: the counts may be too low.")
    if any(view.requests_only for view in views):
        screen.print(f"?: {UNSEEN}")
    if capped is not None and len(views) == capped:
        screen.print(f"The newest {capped}; --limit N or --all for more.")


def print_stuck(views: list[OperationView], *, unseen: bool = False) -> None:
    """A few lines per unfinished operation: who owes the next step. `unseen`: some recordings show no replies."""
    screen = console()
    if unseen:
        screen.print("Recordings in mode bindings show no replies: which calls wait for one there is unknown.")
    if not views:
        screen.print("Nothing is in flight or stuck.")
        return
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
