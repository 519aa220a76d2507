"""Options that every run of the emulator has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from rpcscope.cli.ground import ground_options
from rpcscope.cli.options import db_option, format_option


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What was given."""

    db: str | None
    label: str
    speed: float
    dry_run: bool
    yes: bool
    serve: bool
    transport_url: str | None
    management_url: str | None
    format_: str

    @classmethod
    def taken(cls, given: dict[str, Any]) -> RunOptions:
        """Takes them out of a command's parameters."""
        return cls(**{name: given.pop(name) for name in cls.__dataclass_fields__})


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--speed, --label, --db, --dry-run, --yes, --serve, --format, and which broker."""
    options = (
        click.option("--speed", type=click.FloatRange(0.01, 1000), default=1.0, show_default=True,
                     help="Waits, copies and timers are so many times as fast; service times and timeouts are not."),
        click.option("--label", default="", help="What the run is called."),
        click.option("--dry-run", is_flag=True, help="Say what is to be expected, and do nothing."),
        click.option("--yes", is_flag=True, help="Do not ask before it begins."),
        click.option("--serve", is_flag=True, help="End by serving the dashboard."),
    )  # fmt: skip
    command = format_option("table", "json")(ground_options(db_option()(command)))
    for option in reversed(options):
        command = option(command)
    return command
