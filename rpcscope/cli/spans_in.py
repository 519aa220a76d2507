"""The options by which a recorder takes spans of the services' own tracing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rpcscope.cli.listening import token_in
from rpcscope.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rpcscope.model import Gap, Inside
    from rpcscope_collectors.otlp import OtlpTap


def otlp_in_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--otlp-listen, and the token that services on other hosts have to know."""
    options = (
        click.option("--otlp-listen", metavar="HOST:PORT",
                     help="Services send the spans of their own tracing (oslo.messaging 18.3 and later), by OTLP over "
                     "HTTP. With or without a broker."),
        click.option("--otlp-token-file", type=click.Path(path_type=Path), metavar="FILE",
                     help="What services have to know that send spans; needed where other hosts can come."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def spans_in(where: dict[str, Any]) -> SpanEar | None:
    """Takes these options out of a command's; None when no spans are to be taken.

    Raises:
        UsageError: the place or the token can not be used.
    """
    place, file = where.pop("otlp_listen"), where.pop("otlp_token_file")
    if place is None:
        if file is not None:
            raise UsageError("--otlp-token-file is for --otlp-listen: say where to listen")
        return None
    from rpcscope_collectors.otlp import OtlpTap
    from rpcscope_collectors.otlp_door import Door

    return SpanEar(OtlpTap(Door.parse(place, token_in(file))))


class SpanEar:
    """The OTLP tap of a command: it says at its end what became of the spans."""

    def __init__(self, tap: OtlpTap) -> None:
        """It is not open yet."""
        self._tap = tap
        self._closed = False

    def open(self) -> None:
        """Begin to listen. Raises UsageError."""
        self._tap.open()
        click.echo(f"rpcscope: spans are taken at port {self._tap.port}, path /v1/traces", err=True)

    def take(self, most: int) -> Sequence[Inside | Gap]:
        """As the tap's."""
        return self._tap.take(most)

    @property
    def backlog(self) -> int:
        """As the tap's."""
        return self._tap.backlog

    def close(self) -> None:
        """Hear no more, and say what was heard."""
        self._tap.close()
        if self._closed:
            return
        self._closed = True
        c = self._tap.count
        later = f"; {c.refused:,} were to be sent again" if c.refused else ""
        click.echo(f"rpcscope: spans: {c.seen:,} seen = {c.kept:,} kept + {c.rejected:,} rejected{later}", err=True)
