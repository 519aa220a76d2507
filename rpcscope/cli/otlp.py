"""Options of those commands that send traces."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import click

if TYPE_CHECKING:
    from rpcscope.export.traces.endpoint import Endpoint
    from rpcscope.export.traces.live import LiveCount
    from rpcscope.export.traces.sampling import Sampling
    from rpcscope.model import Batch
    from rpcscope.store.store import Store

_Decorator = Callable[[Any], Any]
_HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
"""As OpenTelemetry's own exporters read it: values are URL-encoded."""


def endpoint_options(name: str, *, required: bool = False) -> _Decorator:
    """Where traces go. `name` is --endpoint or what takes its place; the others begin alike."""
    start = name.removesuffix("endpoint")
    options = (
        click.option(name, envvar="OTEL_EXPORTER_OTLP_ENDPOINT" if required else None, required=required,
                     metavar="URL", help="An OTLP endpoint for traces: http://127.0.0.1:4318"),
        click.option(f"{start}protocol", "otlp_protocol", type=click.Choice(["http/protobuf", "grpc"]),
                     default="http/protobuf", show_default=True, help="How it is spoken to."),
        click.option(f"{start}header", "otlp_headers", multiple=True,
                     metavar="NAME=VALUE", help="Sent with each request, never logged. Better, because command lines "
                     f"are seen by every user: {_HEADERS}=name=value,name=value"),
        click.option(f"{start}ca-file", "otlp_ca_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                     help="Certificates to trust instead of the system's."),
        click.option(f"{start}timeout", "otlp_timeout", type=click.FloatRange(0, min_open=True), default=10.0,
                     show_default=True, metavar="SECONDS", help="Of one request."),
    )  # fmt: skip
    return _all(options)


def sampling_options(start: str = "--") -> _Decorator:
    """Which operations are exported."""
    usual = ", 0.1 if not said" if start != "--" else ""
    options = (
        click.option(f"{start}sample", "otlp_shares", multiple=True, metavar="KIND=SHARE",
                     help=f"create=0.1: one in ten; '*=0.1': of all others{usual}. What failed is always sent."),
        click.option(f"{start}errors-only", "otlp_errors_only", is_flag=True, help="What failed or is stuck alone."),
        click.option(f"{start}adopt-trace-ids", "otlp_adopts", is_flag=True,
                     help="Go on with the trace that oslo.messaging began, where it traced itself."),
        click.option(f"{start}background", "otlp_background", is_flag=True,
                     help="Timers and restarts, too: they are most of all operations."),
    )  # fmt: skip
    return _all(options)


def _all(options: tuple[_Decorator, ...]) -> _Decorator:
    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def endpoint_of(given: dict[str, Any], url: str) -> Endpoint:
    """As the options say. Raises UsageError."""
    from rpcscope.export.traces.endpoint import endpoint

    known = [unquote(one) for one in os.environ.get(_HEADERS, "").split(",") if one.strip()]
    return endpoint(
        url, protocol=given["otlp_protocol"], headers=(*known, *given["otlp_headers"]), ca_file=given["otlp_ca_file"],
        timeout_s=given["otlp_timeout"],
    )  # fmt: skip


def sampling_of(given: dict[str, Any], kinds: tuple[str, ...] = (), *, live: bool = False) -> Sampling:
    """As the options say. Raises UsageError."""
    from rpcscope.export.traces.sampling import LIVE_SHARES, Sampling, shares

    usual = LIVE_SHARES if live else {}
    return Sampling(
        kinds=kinds, background=given["otlp_background"], errors_only=given["otlp_errors_only"],
        shares=usual | shares(given["otlp_shares"]),
    )  # fmt: skip


def live_options(command: Any) -> Any:
    """Traces while it is recorded."""
    own = (
        click.option("--otlp-rate", type=click.FloatRange(0, min_open=True), metavar="N",
                     help="Operations a second at most; more are left out and counted."),
        click.option("--otlp-quiet", type=click.FloatRange(0, min_open=True), default=60.0, show_default=True,
                     metavar="SECONDS", help="What has no known end is taken as over when it was quiet for so long."),
    )  # fmt: skip
    return endpoint_options("--otlp-endpoint")(sampling_options("--otlp-")(_all(own)(command)))


@contextmanager
def exporting(store: Store, given: dict[str, Any]) -> Iterator[list[Callable[[Batch], None]]]:
    """While the block runs, what is recorded is exported, if it is wanted: what each stored batch is given to."""
    if not given["otlp_endpoint"]:
        yield []
        return
    from rpcscope.export.traces.live import LiveExport
    from rpcscope.export.traces.senders import sender_to

    to = endpoint_of(given, given["otlp_endpoint"])
    live = LiveExport(
        store.reader(), sender_to(to), str(to), sampling_of(given, live=True), rate=given["otlp_rate"] or 0.0,
        adopts=given["otlp_adopts"], quiet_s=given["otlp_quiet"],
    )  # fmt: skip
    live.start()
    try:
        yield [live.take]
    except BaseException:  # a second signal, or a failure: nothing is waited for
        live.stop(0)
        raise
    _say(live.stop(), str(to))


def _say(count: LiveCount, to: str) -> None:
    spans = count.spans
    told = [f"{count.operations:,} operations, {spans.exported:,} spans to {to}"]
    lost = (
        (spans.rejected, "spans rejected"),
        (spans.dropped, "spans dropped"),
        (count.over_rate, "operations over the rate"),
        (count.forgotten, "operations forgotten because too many waited"),
        (count.unsent, "operations not sent: not over, or not taken"),
    )  # fmt: skip
    told += [f"{number:,} {words}" for number, words in lost if number]
    click.echo(f"rpcscope: traces: {'; '.join(told)}", err=True)
