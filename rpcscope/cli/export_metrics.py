"""The metrics of `record`: which are wanted, and where they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from rpcscope.errors import UsageError

if TYPE_CHECKING:
    from rpcscope.cli.health import HealthReport
    from rpcscope.export.metrics.family import Family
    from rpcscope.export.metrics.meter import Meters


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
        hosts, oslo = where["metrics_hosts"], where["oslo_metrics_compat"]
        wanted = self._port is not None
        if (hosts or oslo) and not wanted:
            raise UsageError("--metrics-hosts and --oslo-metrics-compat want a --metrics-port to tell it at")
        self.meters: Meters | None = Meters(Choices(hosts=hosts, oslo=oslo)) if wanted else None
        self.reports: list[HealthReport] = []

    def families(self) -> list[Family]:
        """All metrics, as of now."""
        from rpcscope.export.metrics.recorders import recorder_families

        health = recorder_families([report.look() for report in self.reports])
        return health + (self.meters.families() if self.meters is not None else [])

    @contextmanager
    def told(self) -> Iterator[None]:
        """While the block runs. Raises UsageError when the port can not be served."""
        from rpcscope.cli.metrics import served
        from rpcscope.export.metrics.text import exposition

        with served(self._port, lambda: exposition(self.families())):
            yield
