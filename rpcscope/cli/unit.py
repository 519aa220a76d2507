"""`rpcscope unit`: the recorder as a service of systemd."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

import click

_HOMES = (Path("/home"), Path("~root").expanduser(), Path("/run/user"))


@click.command("unit")
def unit_command() -> None:
    """Print a unit file for systemd that records, and ends tracing however the recorder ended.

    Its place is /etc/systemd/system/rpcscope.service; its first lines say what else it needs.
    """
    program = _program()
    if any(home in program.parents for home in _HOMES):
        click.echo(f"rpcscope: the service can not read {program.parent}: install rpcscope outside of /home", err=True)
    click.echo(unit(program), nl=False)


def unit(program: Path) -> str:
    """The unit file for an rpcscope that is installed at `program`."""
    return files("rpcscope.cli").joinpath("rpcscope.service").read_text().replace("@PROGRAM@", str(program))


def _program() -> Path:
    """The command beside the Python that runs."""
    return Path(sys.executable).with_name("rpcscope")
