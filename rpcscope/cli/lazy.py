"""A group of commands whose modules are imported when they are used, so that --help is quick."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class Lazy(click.Group):
    """Imports a command's module when the command is used."""

    modules: Mapping[str, tuple[str, str]] = {}
    """The module and the sentence of each command; `<name>_command` is what the module calls it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """By the order in which they are told."""
        return list(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; None: there is none."""
        if cmd_name not in self.modules:
            return None
        module: Any = importlib.import_module(self.modules[cmd_name][0])
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Their sentences, without importing them."""
        if told := [(name, text) for name, (_, text) in self.modules.items()]:
            with formatter.section("Commands"):
                formatter.write_dl(told)
