"""`rpcscope export`: what is stored, into what its users already run."""

from __future__ import annotations

import click

from rpcscope.cli.lazy import Lazy

TARGETS: dict[str, tuple[str, str]] = {
    "otlp": ("rpcscope.cli.export_otlp", "Operations as traces, to an OpenTelemetry endpoint."),
    "files": ("rpcscope.cli.export_files", "Tables, or operations for Jaeger's page and Mermaid, into a folder."),
    "grafana": ("rpcscope.cli.export_files", "Dashboards and alert rules for the metrics, into a folder."),
    "html": ("rpcscope.cli.export_files", "One operation as a page that needs nothing else."),
}


class _Targets(Lazy):
    """Each `<target>_command` is in a module of its own."""

    modules = TARGETS


@click.group("export", cls=_Targets)
def export_command() -> None:
    """Send what is stored to OpenTelemetry, Prometheus, or files."""
