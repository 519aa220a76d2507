"""`rpcscope import` and `rpcscope scrub`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from rpcscope.cli.fit import put_table
from rpcscope.cli.labels import label_option
from rpcscope.cli.options import db_option, format_option, opened, rules_option, the_rules
from rpcscope.cli.output import number, put_json, table
from rpcscope.errors import CaptureError
from rpcscope.modes import visible

if TYPE_CHECKING:
    from rpcscope.model import Counters, Recording
    from rpcscope.rules import Rules
    from rpcscope.store.store import Store

_FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))


@click.command("import")
@_FILES
@db_option()
@rules_option()
@click.option(
    "--ignore-traceparent", is_flag=True, help="Infer every parent, also where messages carry a trace context."
)
@click.option("--conditions", default="", help="What was recorded: release, driver, workers. Shown beside the results.")
@label_option()
@format_option("table", "json")
def import_command(
    files: tuple[Path, ...],
    db: str | None,
    rules: tuple[Path, ...],
    ignore_traceparent: bool,
    conditions: str,
    labels: dict[str, str],
    format_: str,
) -> int:
    """Store capture FILES: rpcscope's own, or raw firehose lines with their .mgmt.json.gz beside them; or files
    of spans: OTLP as JSON lines, as the OpenTelemetry Collector's file exporter writes them.

    A file that is stored already changes nothing but its labels; one that was interrupted goes on where it stopped.
    A file that can not be read is named on stderr and the others are still stored (exit code 3).
    """
    known = the_rules(rules)
    results: list[dict[str, object]] = []
    failed = False
    with opened(db, create=True) as store, _progress() as progress:
        for path in files:
            try:
                results.append(_import_one(store, path, known, not ignore_traceparent, conditions, labels, progress))
            except CaptureError as error:
                failed = True
                click.echo(f"rpcscope: {error}", err=True)
    _print_import(results, format_)
    return CaptureError.exit_code if failed else 0


def _import_one(
    store: Store, path: Path, rules: Rules, use_traceparent: bool, conditions: str, labels: dict[str, str],
    progress: Progress,
) -> dict[str, object]:  # fmt: skip
    from rpcscope.cli.importing import import_capture
    from rpcscope.cli.span_file import opened_file

    with opened_file(path) as reader:
        task: list[TaskID] = []  # a file that is stored already gets no bar

        def advance() -> None:
            if not task:
                task.append(progress.add_task(path.name, total=reader.total_bytes or None))
            progress.update(task[0], completed=reader.bytes_read)

        done = import_capture(
            store, reader, rules, use_traceparent=use_traceparent, conditions=conditions, name=path.name,
            labels=labels, progress=advance,
        )  # fmt: skip
        if reader.problem:
            click.echo(f"rpcscope: {reader.problem}", err=True)
        elif not done.counters.seen:
            click.echo(f"rpcscope: {reader.label} holds no events", err=True)
        return _row(path, done.counters, store, done.recording, done.known)


def _row(path: Path, c: Counters, store: Store, recording: Recording, known: bool) -> dict[str, object]:
    totals = store.reader().recording_totals(recording.id)
    return {
        "file": path.name,
        "seen": c.seen,
        "decoded": c.decoded,
        "rejected": c.rejected,
        "markers": c.markers,
        "duplicates": c.duplicates,
        **visible(c, recording.tap_mode),
        "calls": totals.rpcs,
        "operations": totals.operations,
        "evicted": c.evicted,
        "already_stored": known,
    }


_TOTALS = {
    "seen": "events seen",
    "decoded": "decoded",
    "rejected": "rejected",
    "markers": "markers of a tap",
    "duplicates": "duplicates",
    "messages": "messages (publishes)",
    "copies": "copies (deliveries)",
    "calls": "calls, casts, fanouts",
    "operations": "operations",
}


def _print_import(rows: list[dict[str, object]], format_: str) -> None:
    totals = {key: _sum(row[key] for row in rows) for key in _TOTALS}
    if format_ == "json":
        put_json({**totals, "files": rows})
        return
    if not rows:
        return
    for row in rows:
        if row["already_stored"]:
            click.echo(f"{row['file']}: stored before, nothing changed")
    lines = table("", ">", "", headless=True)
    for key, words in _TOTALS.items():
        lines.add_row(words, number(totals[key]) or "?", _sum_of(key, totals))
    put_table(lines)


def _sum(counts: Iterable[object]) -> int | None:
    """Of counts; None when one of them is unknown."""
    known = [count if isinstance(count, int) else None for count in counts]
    return None if None in known else sum(filter(None, known))


def _sum_of(key: str, totals: dict[str, int | None]) -> str:
    """What a total is made of. What processes tell of a call is decoded, and no message."""
    if key == "seen":
        return "= decoded + rejected + markers"
    parts = [totals[part] for part in ("duplicates", "messages", "copies")]
    return "= duplicates + messages + copies" if key == "decoded" and _sum(parts) == totals[key] else ""


def _progress() -> Progress:
    from rich.console import Console

    screen = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    return Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal)


@click.command("scrub")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The capture to write.")
@click.option("--pseudonymize", "keyfile", type=click.Path(path_type=Path), metavar="KEYFILE",
              help="Replace hosts, addresses, projects and servers by names made with this key.")  # fmt: skip
@click.option("--conditions", default="", help="What was recorded: release, driver, workers.")
@rules_option()
def scrub_command(file: Path, output: Path, keyfile: Path | None, conditions: str, rules: tuple[Path, ...]) -> None:
    """Make a capture of FILE that can be shared: sizes, times and methods stay, contents go."""
    from rpcscope.capture import Pseudonyms, Scrubber, load_key, scrub_file

    scrubber = Scrubber(the_rules(rules), Pseudonyms(load_key(keyfile)) if keyfile else None)
    with _progress() as progress:
        task = progress.add_task(file.name, total=None)
        done = scrub_file(
            file, output, scrubber, conditions=conditions,
            progress=lambda read, total: progress.update(task, completed=read, total=total),
        )  # fmt: skip
    if done.problem:
        click.echo(f"rpcscope: {done.problem}", err=True)
    click.echo(
        f"{output}: {done.events:,} events; left out: {done.dropped:,} that are no oslo.messaging messages, "
        f"{done.rejected:,} lines that are no events"
    )
