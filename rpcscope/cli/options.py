"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rpcscope.errors import UsageError

if TYPE_CHECKING:
    from rpcscope.rules import Rules
    from rpcscope.store.store import Store

FORMATS = ("table", "json", "csv")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
Decorator = Callable[[Any], Any]


def db_option() -> Decorator:
    """--db or RPCSCOPE_DB."""
    return click.option(
        "--db",
        envvar="RPCSCOPE_DB",
        metavar="URL",
        help="Database: a file, or a URL. Default: a file in your data folder.",
    )


def format_option(*formats: str) -> Decorator:
    """--format."""
    choice = click.Choice(formats or FORMATS)
    return click.option(
        "--format", "format_", type=choice, default="table", show_default=True, help="For people or programs."
    )


def broker_options(command: Any) -> Any:
    """--transport-url, --config-file and --management-url; see `brokers.places`."""
    options = (
        click.option("--transport-url", "transport_urls", envvar="RPCSCOPE_TRANSPORT_URL", multiple=True,
                     metavar="URL", help="As oslo.messaging writes it: rabbit://user:password@host:port/vhost"),
        click.option("--config-file", "config_files", multiple=True, type=click.Path(path_type=Path),
                     help="A service's own: /etc/nova/nova.conf"),
        click.option("--management-url", "management_urls", envvar="RPCSCOPE_MANAGEMENT_URL", multiple=True,
                     metavar="URL", help="One per node; with user:password@ of the account that may switch tracing."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def rules_option() -> Decorator:
    """--rules or RPCSCOPE_RULES."""
    path = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.option(
        "--rules",
        envvar="RPCSCOPE_RULES",
        type=path,
        multiple=True,
        help="Your own rules (TOML), before the shipped ones.",
    )


def default_database() -> str:
    """The SQLite file in the user's data folder."""
    from platformdirs import user_data_path

    return str(user_data_path("rpcscope", appauthor=False) / "rpcscope.sqlite")


@contextmanager
def opened(db: str | None, *, create: bool = False) -> Iterator[Store]:
    """The store of a command.

    Args:
        create: make the database when there is none; commands that only read do not.
    """
    from rpcscope.store import open_store

    with open_store(db or default_database(), create=create) as store:
        yield store


def the_rules(paths: tuple[Path, ...]) -> Rules:
    """Shipped rules and the user's."""
    from rpcscope.rules import load_rules

    return load_rules(*paths)


def moment(text: str | None, name: str) -> int | None:
    """A time in ns: ISO 8601 (UTC when no zone is given), or how long ago: 30s, 15m, 2h, 1d.

    Raises:
        UsageError: it is neither.
    """
    if text is None:
        return None
    number, unit = text[:-1], text[-1:]
    try:
        if unit in _UNITS and number.isascii() and number.isdigit():
            when = datetime.now(UTC) - timedelta(**{_UNITS[unit]: int(number)})
        else:
            when = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(f"{name} wants a time such as 2026-11-20T03:10, or how long ago such as 15m") from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return int(when.timestamp() * 1_000_000) * 1000
