"""`rpcscope fleet`: the file that describes an emulated cloud."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rpcscope.cli.options import format_option
from rpcscope.cli.output import put_json

if TYPE_CHECKING:
    from rpcscope.fleet.model import FleetFile


@click.group("fleet")
def fleet_command() -> None:
    """Describe an emulated cloud: hosts, servers, links, control plane."""


@fleet_command.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@format_option("table", "json")
def _check(file: Path, format_: str) -> None:
    """Whether a fleet file can be, and what it amounts to on a broker."""
    from rpcscope.fleet.file import read

    fleet = read(file)
    if format_ == "json":
        put_json(_as_dict(fleet))
        return
    from rpcscope.cli.fleet_view import print_fleet

    print_fleet(fleet)


@fleet_command.command("example")
def _example() -> None:
    """Print a fleet file with comments, to begin with."""
    from rpcscope.fleet.schema import example

    click.echo(example(), nl=False)


@fleet_command.command("schema")
def _schema() -> None:
    """Print the JSON schema of fleet files, for editors."""
    from rpcscope.fleet.schema import shipped_schema

    click.echo(shipped_schema(), nl=False)


def _as_dict(fleet: FleetFile) -> dict[str, object]:
    from dataclasses import asdict

    from rpcscope.fleet.estimate import estimate
    from rpcscope.fleet.notes import notes

    found = estimate(fleet)
    return {"name": fleet.name, **asdict(found), "idle_messages_s": found.idle_messages_s, "notes": notes(fleet)}
