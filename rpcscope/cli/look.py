"""`rpcscope cost`, `operations`, `show`, `calls` and `stuck`: what was recorded."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import click

from rpcscope.cli import output
from rpcscope.cli.options import db_option, format_option, moment, opened
from rpcscope.errors import RpcscopeError, UsageError

SHOWN = 50
_all = click.option("--all", "everything", is_flag=True, help="Timers and start-up too, and no limit.")


@click.command("cost")
@db_option()
@click.option("--kind", help="One kind of operation, with its methods: create, live-migration, evacuate, ...")
@click.option("--methods", is_flag=True, help="The methods of every kind.")
@click.option("--all", "everything", is_flag=True, help="Timers and start-up too.")
@click.option("--include-failed", is_flag=True, help="Count operations that failed, too.")
@format_option()
def cost_command(
    db: str | None, kind: str | None, methods: bool, everything: bool, include_failed: bool, format_: str
) -> None:
    """How many RPCs each kind of operation makes, which ones, and where the time goes."""
    from rpcscope.cli.cost_view import print_costs
    from rpcscope.query.cost import conditions, costs
    from rpcscope.query.gaps import gaps_touching

    with opened(db) as store:
        reader = store.reader()
        background = None if everything or kind else False
        found = costs(reader, kind=kind, background=background, include_failed=include_failed)
        said = conditions(reader)
        missed = gaps_touching(reader)
    if kind and not found:
        raise UsageError(f"no operation of kind {kind!r} is stored: `rpcscope cost --all` lists the kinds that are")
    if format_ == "json":
        output.put_json(
            {
                "conditions": said,
                "kinds": [cost.as_dict() for cost in found],
                "gaps": [loss.as_dict() for loss in missed],
            }
        )
    elif format_ == "csv":
        output.put_csv({"operation_kind": cost.kind, **m.as_dict()} for cost in found for m in cost.methods)
    else:
        print_costs(found, said, with_methods=methods or kind is not None, missed=missed)


def _filters(command: Callable[..., Any]) -> Callable[..., Any]:
    options = (
        click.option("--kind", help="nova's instance action: create, live-migration, evacuate, ..."),
        click.option("--instance", help="Uuid of a server."),
        click.option("--host", help="Source, destination, or any host it called."),
        click.option("--request-id", help="Request id or global request id."),
        click.option("--project", help="Project id."),
        click.option("--status", type=click.Choice(["done", "failed", "stuck", "running", "unknown"]),
                     help="How it stands, as of the last event recorded."),
        click.option("--since", metavar="TIME", help="Began at or after: 2026-11-20T03:10 (UTC), or 15m ago."),
        click.option("--until", metavar="TIME", help="Began before."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command("operations")
@db_option()
@_filters
@_all
@click.option(
    "--limit", type=click.IntRange(1), help=f"At most so many, newest first. Default: {SHOWN}; with --all: no limit."
)
@click.option(
    "--stuck-after", type=click.FloatRange(0), default=60.0, show_default=True, help="Seconds without a step."
)
@format_option()
def operations_command(
    db: str | None,
    status: str | None,
    everything: bool,
    limit: int | None,
    stuck_after: float,
    format_: str,
    **wanted: str | None,
) -> None:
    """List operations, newest first."""
    from rpcscope.cli.operation_view import print_operations
    from rpcscope.model import Status
    from rpcscope.query.gaps import FOREVER, gaps_touching
    from rpcscope.query.operations import Operations
    from rpcscope.store.protocol import OperationFilter

    asked = OperationFilter(
        kind=wanted["kind"], instance=wanted["instance"], host=wanted["host"], request_id=wanted["request_id"],
        project_id=wanted["project"],
        since_ns=moment(wanted["since"], "--since"), until_ns=moment(wanted["until"], "--until"),
        background=None if everything or wanted["kind"] or wanted["request_id"] else False,
    )  # fmt: skip
    cap = limit if limit is not None or everything else SHOWN
    with opened(db) as store:
        reader = store.reader()
        found = Operations(reader, stuck_after_s=stuck_after).find(
            asked, status=Status[status.upper()] if status else None
        )
        views = islice(found, cap)
        if format_ == "json":
            output.put_json_rows(view.as_dict() for view in views)
        elif format_ == "csv":
            output.put_csv(view.as_dict() for view in views)
        else:
            shown = list(views)
            first = min(view.whole.started_ns for view in shown) if shown and len(shown) == cap else 0
            missed = gaps_touching(reader, asked.since_ns or first, asked.until_ns or FOREVER)
            print_operations(shown, capped=cap, missed=missed)


@click.command("show")
@click.argument("request_id")
@db_option()
@click.option("--sequence", is_flag=True, help="As a sequence of messages between processes.")
@click.option("--stuck-after", type=click.FloatRange(0), default=60.0, help="Seconds without a step.")
@format_option("table", "json")
def show_command(request_id: str, db: str | None, sequence: bool, stuck_after: float, format_: str) -> None:
    """One operation as a tree of calls: who called whom, how long it waited, how it ended."""
    from rpcscope.cli.beside_view import print_beside
    from rpcscope.cli.sequence import print_sequence
    from rpcscope.cli.tree_view import print_tree
    from rpcscope.query.beside import beside
    from rpcscope.query.calls import Calls
    from rpcscope.query.operations import Operations
    from rpcscope.query.tree import grow
    from rpcscope.store.protocol import OperationFilter

    with opened(db) as store:
        reader = store.reader()
        found = list(Operations(reader, stuck_after_s=stuck_after).find(OperationFilter(request_id=request_id)))
        if not found:
            raise RpcscopeError(f"no operation has the request id {request_id}: `rpcscope operations --all` lists them")
        trees = []
        for view in found:
            calls = Calls(reader).of_operation(view.ids)
            own = [c for c in calls if c.call.cause_id in view.ids]
            others = [c for c in calls if c.call.cause_id not in view.ids]
            trees.append((view, grow(own), others, beside(reader, view)))
    if format_ == "json":
        documents = [
            {
                "operation": v.as_dict(), "calls": [n.as_dict() for n in roots],
                "others": [c.as_dict() for c in others], **told.as_dict(),
            }
            for v, roots, others, told in trees
        ]  # fmt: skip
        output.put_json(documents[0] if len(documents) == 1 else documents)
        return
    for view, roots, others, told in trees:
        if sequence:
            print_sequence(view, roots)
        else:
            print_tree(view, roots, others)
            print_beside(told, view.whole.started_ns)


@click.command("calls")
@db_option()
@click.option("--since", metavar="TIME", help="Published at or after.")
@click.option("--until", metavar="TIME", help="Published before.")
@click.option("--method", help="Only this method, such as 'object_action(Instance.save)'.")
@_all
@format_option()
def calls_command(
    db: str | None, since: str | None, until: str | None, method: str | None, everything: bool, format_: str
) -> None:
    """List calls, casts and fanouts, oldest first."""
    from rpcscope.cli.call_view import print_calls
    from rpcscope.query.calls import Calls
    from rpcscope.query.gaps import FOREVER, gaps_touching

    since_ns, until_ns = moment(since, "--since"), moment(until, "--until")
    with opened(db) as store:
        reader = store.reader()
        views = Calls(reader).rpcs(background=None if everything else False, since_ns=since_ns, until_ns=until_ns)
        rows = (view for view in views if method is None or view.call.method == method)
        if format_ == "json":
            output.put_json_rows(view.as_dict() for view in rows)
        elif format_ == "csv":
            output.put_csv(view.as_dict() for view in rows)
        else:
            cap = None if everything else SHOWN
            shown = list(islice(rows, cap))
            last = shown[-1].since_ns if shown and len(shown) == cap else FOREVER
            missed = gaps_touching(reader, since_ns or 0, until_ns or last)
            print_calls(shown, capped=cap, missed=missed)


@click.command("stuck")
@db_option()
@click.option(
    "--stuck-after", type=click.FloatRange(0), default=60.0, show_default=True, help="Seconds without a step."
)
@click.option("--all", "everything", is_flag=True, help="Timers and start-up too.")
@format_option()
def stuck_command(db: str | None, stuck_after: float, everything: bool, format_: str) -> None:
    """Operations that are in flight or stuck: the last step, who owes the answer, since when."""
    from rpcscope.cli.operation_view import print_in_flight, print_stuck
    from rpcscope.model import Status
    from rpcscope.query.gaps import gaps_touching
    from rpcscope.query.in_flight import in_flight
    from rpcscope.query.operations import Operations
    from rpcscope.query.unseen import Unseen
    from rpcscope.store.protocol import OperationFilter

    with opened(db) as store:
        asked = OperationFilter(background=None if everything else False)
        found = Operations(store.reader(), stuck_after_s=stuck_after).find(asked)
        views = [view for view in found if view.status in (Status.STUCK, Status.RUNNING) or view.is_in_doubt]
        working = in_flight(store.reader())
        unseen = bool(Unseen(store.reader()))
        missed = gaps_touching(store.reader())
    if format_ == "json":
        output.put_json([view.as_dict() for view in views])
    elif format_ == "csv":
        output.put_csv(view.as_dict() for view in views)
    else:
        print_stuck(views, unseen=unseen, missed=missed)
        print_in_flight(working)
