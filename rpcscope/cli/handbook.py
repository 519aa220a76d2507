"""`rpcscope handbook`: a reference page for each kind of operation, fit to publish."""

from __future__ import annotations

from pathlib import Path

import click

from rpcscope.cli.options import db_option, opened
from rpcscope.errors import RpcscopeError, UsageError


@click.command("handbook")
@db_option()
@click.option("--kind", "kinds", multiple=True, help="Only this kind of operation: create, live-migration, ...")
@click.option("--all", "everything", is_flag=True, help="Timers and start-up too.")
@click.option(
    "-o", "--output", "folder", required=True, metavar="FOLDER", type=click.Path(path_type=Path),
    help="Where the pages go; those of the same names are replaced.",
)  # fmt: skip
def handbook_command(db: str | None, kinds: tuple[str, ...], everything: bool, folder: Path) -> None:
    """Write a page for each kind of operation and release: sequence, RPCs, sizes, times, conditions.

    Markdown with pictures. Names of hosts are left out.
    """
    from rpcscope_web.handbook import handbook

    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: name a folder")
    with opened(db) as store:
        files = handbook(store.reader(), kinds, background=everything)
    if not files and kinds:
        raise UsageError("no operation of these kinds has come to its end: `rpcscope cost --all` lists the kinds")
    if not files:
        raise RpcscopeError("no operation that has come to its end is stored: record or import some first")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    pages = sum(name.endswith(".md") for name in files) - 1
    click.echo(f"{pages} page{'s' if pages != 1 else ''}: begin with {folder / 'README.md'}")
