"""`rpcscope template`: what operations do, learned from recordings, to be played by the emulator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rpcscope.cli.fit import put_table
from rpcscope.cli.options import db_option, moment, opened
from rpcscope.cli.output import cell, number, size, table
from rpcscope.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rpcscope.templates.chosen import LeftOut
    from rpcscope.templates.model import Template

_FILE = click.Path(path_type=Path)


@click.group("template")
def template_command() -> None:
    """What operations do on the bus: learned from recordings, shown, checked.

    `rpcscope emulate` and `rpcscope replay` play templates. Those of nova 34 on a fake driver come with rpcscope.
    """


@template_command.command("learn")
@db_option()
@click.option("--kind", "kinds", multiple=True, help="Only this kind; may be given several times.")
@click.option("-o", "--output", required=True, type=_FILE, metavar="FOLDER", help="Where the files go.")
@click.option("--since", metavar="TIME", help="Of operations that began then or later: 2026-11-20T03:10, or 2h ago.")
@click.option("--until", metavar="TIME", help="Of operations that began before.")
@click.option("--failed/--no-failed", default=True, show_default=True, help="Also from those that failed.")
@click.option("--background/--no-background", default=True, show_default=True, help="Also what timers do.")
@click.option("--release", default="", help="What was recorded, where the recordings do not say: nova 34.0")
@click.option("--driver", default="", help="Of the computes: libvirt, fake.")
@click.option("--conditions", default="", help="One sentence on what was recorded.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
def _learn(
    db: str | None,
    kinds: tuple[str, ...],
    output: Path,
    since: str | None,
    until: str | None,
    failed: bool,
    background: bool,
    release: str,
    driver: str,
    conditions: str,
    force: bool,
) -> None:
    """Learn from operations recorded as a whole.

    One file for each kind, and for each number of servers that one operation is about.
    """
    from rpcscope.templates.chosen import Choice
    from rpcscope.templates.learn import learn
    from rpcscope.templates.model import Provenance

    choice = Choice(
        kinds=kinds,
        failed=failed,
        background=background or any(":" in kind for kind in kinds),
        since_ns=moment(since, "--since"),
        until_ns=moment(until, "--until"),
    )
    with opened(db) as store:
        learned = learn(store.reader(), choice, Provenance(release=release, driver=driver, conditions=conditions))
    paths = _write(learned.templates, output, force=force)
    _print_learned(learned.templates, paths)
    _print_left_out(learned.left_out)


@template_command.command("show")
@click.argument("what", metavar="FILE|KIND")
@click.option("--servers", type=click.IntRange(1), default=1, show_default=True, help="That one operation is about.")
def _show(what: str, servers: int) -> None:
    """Show a template as a tree.

    Of a FILE, or of a KIND that comes with rpcscope: create, live-migration, periodic:report_state.
    """
    from rpcscope.cli.template_view import print_template
    from rpcscope.templates.files import load, shipped

    path = Path(what)
    is_file = path.suffix in (".yaml", ".yml", ".json") or "/" in what
    print_template(load(path) if is_file else shipped(what, servers))


@template_command.command("check")
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE...")
def _check(files: tuple[Path, ...]) -> None:
    """Say what is wrong with files, and where."""
    from rpcscope.templates.files import load

    for path in files:
        template = load(path)
        shapes = len(template.variants)
        click.echo(f"{path.name}: {template.kind}, {shapes} variant{'s' * (shapes != 1)}; all is well")


def _write(templates: Sequence[Template], folder: Path, *, force: bool) -> list[Path]:
    from rpcscope.templates.files import save, stem

    paths: list[Path] = []
    for template in templates:
        path = folder / f"{stem(template)}.yaml"
        while path in paths:  # what makes two kinds different may be no part of a file's name
            path = path.with_stem(f"{path.stem}-other")
        paths.append(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = [path for path in paths if path.exists() and not force]
    except OSError as error:
        raise UsageError(f"the folder {folder.name} can not be made: {error.strerror}") from error
    if there:
        raise UsageError(f"{there[0].name} is in {folder.name} already: choose another folder, or give --force")
    for template, path in zip(templates, paths, strict=True):
        save(template, path)
    return paths


def _print_learned(templates: Sequence[Template], paths: Sequence[Path]) -> None:
    from rpcscope.templates.counts import count

    lines = table("file", "kind", ">operations", ">variants", ">most have", ">messages", ">bytes")
    for template, path in zip(templates, paths, strict=True):
        first = max(template.variants, key=lambda variant: variant.share)
        tally = count(first.roots)
        lines.add_row(
            cell(path.name), cell(template.kind), number(template.provenance.operations),
            number(len(template.variants)), f"{first.share:.0%}", number(tally.messages), size(tally.bytes),
        )  # fmt: skip
    put_table(lines, spare=("kind",), fold="file")


def _print_left_out(left_out: LeftOut) -> None:
    for kind, whys in sorted(left_out.items()):
        for why, count in whys.most_common():
            click.echo(f"left out: {count:,} of {kind or 'unknown kind'}: {why}")
