"""`rpcscope db`: the database itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rpcscope.cli import output
from rpcscope.cli.fit import put_table
from rpcscope.cli.labels import written
from rpcscope.cli.options import db_option, default_database, format_option, moment, opened
from rpcscope.cli.output import number
from rpcscope.errors import UsageError
from rpcscope.modes import visible

if TYPE_CHECKING:
    from rpcscope.store.protocol import RecordingInfo


@click.group("db")
def db_command() -> None:
    """Upgrade, inspect and prune the database."""


@db_command.command("upgrade")
@db_option()
def _upgrade(db: str | None) -> None:
    """Bring the database to the revision this rpcscope needs; an empty one gets its tables."""
    from rpcscope.store.migrate import upgrade

    upgrade(db or default_database())
    click.echo("The database is up to date.")


@db_command.command("status")
@db_option()
@format_option("table", "json")
def _status(db: str | None, format_: str) -> None:
    """Revision, size, rows, recordings and gaps."""
    from dataclasses import asdict

    from rpcscope.cli.gap_view import marked, print_gaps
    from rpcscope.query.gaps import gaps_touching
    from rpcscope.query.times import iso

    with opened(db) as store:
        reader = store.reader()
        status, recordings, losses = reader.status(), reader.recordings(), gaps_touching(reader)
        labels = reader.labels()
    if format_ == "json":
        rows = [_recording(info, labels.get(info.recording.id, {})) for info in recordings]
        output.put_json({**asdict(status), "recordings": rows, "gaps": [loss.as_dict() for loss in losses]})
        return
    screen = output.console()
    screen.print(
        f"{status.dialect}, revision {status.revision} (needed: {status.head}), {number(status.size_bytes / 1e6, 1)} MB"
    )
    lines = output.table("table", ">rows")
    for name, count in status.rows.items():
        lines.add_row(name, number(count))
    put_table(lines)
    lines = output.table(
        "recording", "last event", ">seen", ">rejected", ">messages", ">duplicates", ">evicted", "state", "labels"
    )
    for i in recordings:
        c = i.counters
        messages = visible(c, i.recording.tap_mode)["messages"]
        counts = (c.seen, c.rejected, messages, c.duplicates, c.evicted)
        touched = any(loss.recording_id == i.recording.id for loss in losses)
        state = "ended" if i.recording.ended_ns is not None else "open"
        lines.add_row(
            output.cell(i.recording.label), output.cell((iso(i.last_ns) or "")[:19]),
            *(number(count) or "?" for count in counts[:2]), marked(number(counts[2]), touched) or "?",
            *(number(count) or "?" for count in counts[3:]), state,
            output.cell(written(labels.get(i.recording.id, {}))),
        )  # fmt: skip
    put_table(lines, spare=("labels", "evicted", "duplicates", "rejected", "seen"), fold="recording")
    print_gaps([losses])
    for g in losses:
        missed = "an unknown number of" if g.estimate is None else f"about {g.estimate:,}"
        screen.print(output.cell(f"blind {iso(g.from_ns)} to {iso(g.to_ns)}: {g.cause}, {missed} messages"))


def _recording(info: RecordingInfo, labels: dict[str, str]) -> dict[str, object]:
    from dataclasses import asdict

    from rpcscope.query.times import iso

    r = info.recording
    return {
        "label": r.label,
        "source": r.source,
        "mode": r.tap_mode,
        "conditions": r.conditions,
        "labels": labels,
        "last_event": iso(info.last_ns),
        "ended": r.ended_ns is not None,
        **asdict(info.counters),
        **visible(info.counters, r.tap_mode),
    }


@db_command.command("prune")
@db_option()
@click.option(
    "--before", required=True, metavar="TIME", help="Remove what ended before: 2026-11-20T03:10 (UTC), or 30d ago."
)
def _prune(db: str | None, before: str) -> None:
    """Remove old operations with their calls."""
    before_ns = moment(before, "--before")
    if before_ns is None:
        raise UsageError("--before wants a time")
    with opened(db) as store:
        removed = store.writer().prune(before_ns)
    lines = output.table("table", ">rows removed")
    for name, count in removed.items():
        lines.add_row(name, number(count))
    put_table(lines)
