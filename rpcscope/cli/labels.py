"""Labels as people write them: `release=2026.2`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import click

from rpcscope.cli.options import Decorator
from rpcscope.errors import UsageError

_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_LONGEST = 255


def label_option(help_: str = "What the recording is called: release=2026.2. Several times.") -> Decorator:
    """--label, as often as wanted."""

    def keep(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
        return labels(given)

    def added(command: Any) -> Any:
        option = click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", callback=keep, help=help_)
        return option(command)

    return added


def labels(given: Iterable[str], option: str = "--label") -> dict[str, str]:
    """Labels by key.

    Raises:
        UsageError: one is not KEY=VALUE, or a key is given twice with two values.
    """
    found: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not _KEY.fullmatch(key) or not value.isprintable() or not 0 < len(value) <= _LONGEST:
            raise UsageError(
                f"{option} wants KEY=VALUE such as release=2026.2: a key of letters, digits, _ . and -,"
                f" and a value of at most {_LONGEST} characters"
            )
        if found.setdefault(key, value) != value:
            raise UsageError(f"{option} gives {key} two values: give it one")
    return found


def written(known: Mapping[str, str]) -> str:
    """Labels in one line."""
    return " ".join(f"{key}={value}" for key, value in known.items())
