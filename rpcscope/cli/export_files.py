"""`rpcscope export files` and `export html`: what is stored, as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rpcscope.cli.options import db_option, moment, opened
from rpcscope.errors import RpcscopeError, UsageError

if TYPE_CHECKING:
    from rpcscope.export.files.wanted import Wanted

_TABLES = ("calls", "operations", "queue_samples", "in_flight", "gaps")
_BY_OPERATION = ("jaeger", "mermaid")
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("files")
@db_option()
@click.option("-o", "--output", "folder", required=True, metavar="FOLDER", type=_FOLDER, help="Where the files go.")
@click.option(
    "--format", "format_", type=click.Choice(["parquet", "csv", "jsonl", *_BY_OPERATION]), default="parquet",
    show_default=True, help="Tables; or operations, for Jaeger's page or as Mermaid diagrams.",
)  # fmt: skip
@click.option("--what", metavar="TABLE,...", help=f"Which tables: {','.join(_TABLES)}. Default: all of them.")
@click.option("--since", metavar="TIME", help="What began then or later: a time, or how long ago: 15m, 2h, 7d.")
@click.option("--until", metavar="TIME", help="What began before.")
@click.option("--kind", help="Operations of this kind, and their calls: create, live-migration, ...")
@click.option("--instance", help="Operations on this server, and their calls.")
@click.option("--host", help="Operations that have to do with this host, and their calls.")
@click.option("--request-id", help="This operation (or all of a global request id), and its calls.")
def files_command(
    db: str | None, folder: Path, format_: str, what: str | None, since: str | None, until: str | None,
    kind: str | None, instance: str | None, host: str | None, request_id: str | None,
) -> None:  # fmt: skip
    """Write what is stored into FOLDER: a file for each table, or for each operation.

    Files are written as a stream, whatever their size, and have their name once they are whole. Those of
    the same names are replaced.
    """
    from rpcscope.export.files.wanted import Wanted
    from rpcscope.store.protocol import OperationFilter

    chosen = OperationFilter(kind=kind, instance=instance, host=host, request_id=request_id)
    wanted = Wanted(since_ns=moment(since, "--since"), until_ns=moment(until, "--until"), operations=chosen)
    names = _tables(what)
    if format_ in _BY_OPERATION:
        if what is not None:
            raise UsageError(f"--format {format_} writes operations: leave --what out")
        _write_operations(db, folder, format_, wanted)
    else:
        _write_tables(db, folder, format_, names, wanted)


def _tables(what: str | None) -> tuple[str, ...]:
    if what is None:
        return _TABLES
    names = tuple(dict.fromkeys(name.strip() for name in what.split(",")))
    unknown = [name for name in names if name not in _TABLES]
    if unknown:
        raise UsageError(f"--what knows no {unknown[0] or 'empty name'}: choose of {', '.join(_TABLES)}")
    return names


def _write_tables(db: str | None, folder: Path, format_: str, names: tuple[str, ...], wanted: Wanted) -> None:
    from rpcscope.export.files.write import write_tables

    with opened(db) as store:
        for one in write_tables(store.reader(), folder, format_, names, wanted):
            click.echo(f"{one.path}: {one.rows:,} row{'' if one.rows == 1 else 's'}")


def _write_operations(db: str | None, folder: Path, format_: str, wanted: Wanted) -> None:
    from rpcscope.export.files.diagrams import write_diagrams
    from rpcscope.export.files.jaeger import write_jaeger

    with opened(db) as store:
        if format_ == "jaeger":
            path = folder / "jaeger.json"
            click.echo(f"{path}: {write_jaeger(store.reader(), path, wanted):,} traces")
        else:
            click.echo(f"{folder}: {write_diagrams(store.reader(), folder, wanted):,} diagrams")


@click.command("grafana")
@click.option("-o", "--output", "folder", required=True, metavar="FOLDER", type=_FOLDER, help="Where the files go.")
def grafana_command(folder: Path) -> None:
    """Write Grafana dashboards and Prometheus alert rules for the metrics of `record` and `serve` into FOLDER."""
    from functools import partial

    from rpcscope.export import grafana
    from rpcscope.export.files.write import whole

    for name in grafana.NAMES:
        whole(folder / name, partial(Path.write_text, data=grafana.text(name), encoding="utf-8"))
        click.echo(folder / name)


@click.command("html")
@click.argument("request_id")
@db_option()
@click.option(
    "-o", "--output", "path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="Default: the request id with .html, here.",
)  # fmt: skip
def html_command(request_id: str, db: str | None, path: Path | None) -> None:
    """Write one operation as a page that needs nothing else: to send, to attach to a report, to open in a browser."""
    from rpcscope.export.files.names import file_name
    from rpcscope.export.files.write import whole
    from rpcscope.query.trace import traces
    from rpcscope_web.standalone import standalone

    with opened(db) as store:
        found = traces(store.reader(), request_id)
        if not found:
            raise RpcscopeError(f"no operation has the request id {request_id}: `rpcscope operations --all` lists them")
        if len(found) > 1:
            names = ", ".join(trace.operation.whole.request_id for trace in found[:5])
            raise UsageError(f"{len(found)} operations have this global request id: name one of them: {names}")
        text = standalone(store.reader(), found[0], store.shown)
    target = path or Path(f"{file_name(request_id)}.html")
    size = whole(target, lambda part: part.write_text(text, encoding="utf-8"))
    click.echo(f"{target}: {size / 1000:,.0f} kB")
