"""The options by which a recorder listens to taps inside services."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rpcscope.errors import UsageError

if TYPE_CHECKING:
    from rpcscope_collectors.listener import Listener

SHORTEST_TOKEN = 16


def listen_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--listen, and the token that taps on other hosts have to know."""
    options = (
        click.option("--listen", "listens", multiple=True, metavar="ADDRESS",
                     help="Taps inside services tell their side: unix:/path or tcp://host:port. With or without a "
                     "broker."),
        click.option("--listen-token-file", type=click.Path(path_type=Path), metavar="FILE",
                     help="What taps that come by TCP have to know; needed where other hosts can come."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def listener_of(where: dict[str, Any]) -> Listener | None:
    """Takes these options out of a command's; None when nobody is to be listened to.

    Raises:
        UsageError: an address or the token can not be used.
    """
    listens, file = where.pop("listens"), where.pop("listen_token_file")
    if not listens:
        if file is not None:
            raise UsageError("--listen-token-file is for --listen: say where to listen")
        return None
    from rpcscope_collectors.listen_address import listen_address
    from rpcscope_collectors.listener import Listener

    return Listener([listen_address(text) for text in listens], token_in(file))


def token_in(file: Path | None) -> str:
    """The token that a file holds; "" without a file. Raises UsageError."""
    if file is None:
        return ""
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"the token in {file.name} can not be read ({why}): name a file that holds it") from None
    if len(token) < SHORTEST_TOKEN:
        raise UsageError(f"the token in {file.name} is too short: write at least {SHORTEST_TOKEN} characters")
    return token
