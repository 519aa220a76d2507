"""The metrics of `record`: which are wanted, and where they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import click

from rpcscope.errors import UsageError

if TYPE_CHECKING:
    from rpcscope.cli.health import HealthReport
    from rpcscope.export.metrics.family import Family
    from rpcscope.export.metrics.meter import Meters
    from rpcscope.export.traces.endpoint import Endpoint


def label_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What the metrics of `record` and of `serve` may have besides."""
    options = (
        click.option("--metrics-hosts", is_flag=True, help="Metrics of each host, too: many more time series."),
        click.option("--oslo-metrics-compat", is_flag=True, help="The names of oslo.metrics beside our own."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def metrics_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Everything that `Telling` is made of."""
    options = (
        click.option("--metrics-port", type=click.IntRange(1, 65535), metavar="PORT",
                     help="Its metrics for Prometheus, at http://127.0.0.1:PORT/metrics."),
        click.option("--otlp-metrics-endpoint", metavar="URL",
                     help="Push them to an OTLP endpoint, which is spoken to as the --otlp- options say."),
        click.option("--otlp-metrics-every", type=click.FloatRange(1), default=15.0, show_default=True,
                     metavar="SECONDS", help="How often."),
        label_options,
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


class Telling:
    """Tells the metrics of this process's recorders to who wants them."""

    def __init__(self, where: dict[str, Any]) -> None:
        """Nothing is served yet. `where` has the options; raises UsageError for those that need others."""
        from rpcscope.export.metrics.meter import Choices, Meters

        self._port: int | None = where["metrics_port"]
        self._every_s: float = where["otlp_metrics_every"]
        self._to = _pushed_to(where) if where["otlp_metrics_endpoint"] else None
        hosts, oslo = where["metrics_hosts"], where["oslo_metrics_compat"]
        wanted = self._port is not None or self._to is not None
        if (hosts or oslo) and not wanted:
            raise UsageError(
                "--metrics-hosts and --oslo-metrics-compat want a --metrics-port or an --otlp-metrics-endpoint"
            )
        self.meters: Meters | None = Meters(Choices(hosts=hosts, oslo=oslo)) if wanted else None
        self.reports: list[HealthReport] = []

    def families(self) -> list[Family]:
        """All metrics, as of now."""
        from rpcscope.export.metrics.recorders import recorder_families

        health = recorder_families([report.look() for report in self.reports])
        return health + (self.meters.families() if self.meters is not None else [])

    @contextmanager
    def told(self) -> Iterator[None]:
        """While the block runs. Raises UsageError when the port can not be served, or certificates not be read."""
        from rpcscope.cli.metrics import served
        from rpcscope.export.metrics.text import exposition

        with served(self._port, lambda: exposition(self.families())), self._pushed():
            yield

    @contextmanager
    def _pushed(self) -> Iterator[None]:
        if self._to is None:
            yield
            return
        from rpcscope.export.metrics.push import Push
        from rpcscope.export.traces.senders import sender_to

        with closing(sender_to(self._to)) as sender, Push(sender, str(self._to), self.families, self._every_s):
            yield


def _pushed_to(where: dict[str, Any]) -> Endpoint:
    from rpcscope.cli.otlp import endpoint_of
    from rpcscope.export.metrics.push import for_metrics

    return for_metrics(endpoint_of(where, where["otlp_metrics_endpoint"]))
