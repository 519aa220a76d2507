"""`rpcscope export otlp`: stored operations as traces."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rpcscope.cli.options import db_option, format_option, moment, opened
from rpcscope.cli.otlp import endpoint_of, endpoint_options, sampling_of, sampling_options
from rpcscope.cli.output import put_json

if TYPE_CHECKING:
    from rpcscope.export.traces.bookmark import Bookmark
    from rpcscope.export.traces.courier import Count
    from rpcscope.export.traces.stored import Progress
    from rpcscope.store.protocol import OperationFilter, Reader


@click.command("otlp")
@db_option()
@endpoint_options("--endpoint", required=True)
@sampling_options()
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="create, live-migration, ...; repeatable.")
@click.option("--request-id", metavar="ID", help="A request id, or a global one.")
@click.option("--since", metavar="TIME", help="Began then or later: 2026-11-20T03:10, or 15m, 2h, 1d ago.")
@click.option("--until", metavar="TIME", help="Began before then.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), metavar="N", help="Operations a second at most.")
@click.option(
    "--patience",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long an endpoint that is down is tried.",
)
@click.option(
    "--resume-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Notes here how far it came; run again, it goes on there.",
)
@format_option("table", "json")
def otlp_command(
    db: str | None, kinds: tuple[str, ...], request_id: str | None, since: str | None, until: str | None,
    rate: float | None, patience: float, resume_file: Path | None, format_: str, **given: Any,
) -> None:  # fmt: skip
    """Send stored operations to an OpenTelemetry endpoint, one trace for each.

    The same operation has the same ids each time: what is sent twice is one trace where the backend knows ids.
    Operations that are not over are left for a later run.
    """
    from rpcscope.export.traces.courier import Courier
    from rpcscope.export.traces.senders import sender_to
    from rpcscope.export.traces.stored import StoredExport
    from rpcscope.store.protocol import OperationFilter

    to, sampling = endpoint_of(given, given["endpoint"]), sampling_of(given, kinds)
    wanted = OperationFilter(
        kind=kinds[0] if len(kinds) == 1 else None, request_id=request_id,
        background=None if sampling.background else False,
        since_ns=moment(since, "--since"), until_ns=moment(until, "--until"),
    )  # fmt: skip
    with opened(db) as store, closing(sender_to(to)) as sender:
        reader = store.reader()
        courier = Courier(sender, str(to), pause=_sleep, patience_s=patience, goes_on=False)
        mark, keep = _bookmarks(resume_file, f"{store.shown} {to} {sampling} {request_id} {since} {until}")
        export = StoredExport(
            reader,
            courier,
            wanted=wanted,
            sampling=sampling,
            mark=mark,
            keep=keep,
            rate=rate or 0.0,
            adopts=given["otlp_adopts"],
            name=str(to),
        )
        with _bar(reader, wanted) as tell:
            done = export.run(tell)
    _say(done, courier.count, str(to), format_)


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def _bookmarks(file: Path | None, choice: str) -> tuple[Bookmark, Callable[[Bookmark], None]]:
    from rpcscope.export.traces import bookmark

    digest = hashlib.sha256(choice.encode()).hexdigest()
    if file is None:
        return bookmark.Bookmark(choice=digest), lambda _: None
    found = bookmark.read(file, digest)
    bookmark.write(file, found)  # before anything is sent: it may be no place to write
    return found, lambda mark: bookmark.write(file, mark)


@contextmanager
def _bar(reader: Reader, wanted: OperationFilter) -> Iterator[Callable[[Progress], None]]:
    """On a terminal a bar of the time that is done; elsewhere nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    screen = Console(stderr=True)
    ends = [page.found[0].place.value for up in (True, False)
            if (page := reader.operation_page(wanted, ascending=up, limit=1)).found]  # fmt: skip
    if not screen.is_terminal or len(ends) < 2:
        yield lambda _: None
        return
    first, last = ends
    shown = TextColumn("{task.fields[operations]:,} operations")
    with Bar(BarColumn(), shown, TimeRemainingColumn(), console=screen, transient=True) as bar:
        task = bar.add_task("", total=max(1, last - first), operations=0)
        yield lambda now: bar.update(task, completed=max(0, now.at_ns - first), operations=now.operations)


def _say(done: Progress, count: Count, to: str, format_: str) -> None:
    if format_ == "json":
        put_json({"endpoint": to, "operations": done.operations, "unfinished": done.unfinished,
                  "spans": count.exported, "rejected": count.rejected, "retried": count.retried})  # fmt: skip
        return
    click.echo(f"{done.operations:,} operations, {count.exported:,} spans to {to}")
    if count.rejected:
        click.echo(f"{count.rejected:,} spans were rejected by it")
    if done.unfinished:
        click.echo(f"{done.unfinished:,} operations are not over yet: left for a later run")
