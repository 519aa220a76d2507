"""Dashboards for Grafana and alert rules for Prometheus, over the metrics of `record` and `serve`."""

from __future__ import annotations

from importlib.resources import files

NAMES = ("rpcscope-fleet.json", "rpcscope-queues.json", "rpcscope-alerts.yaml")


def text(name: str) -> str:
    """One of NAMES."""
    return (files(__name__) / name).read_text(encoding="utf-8")
