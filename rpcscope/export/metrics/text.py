"""Metrics in the text format of Prometheus, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rpcscope.export.metrics.family import Distribution, Family, Value, Values

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(families: Iterable[Family]) -> str:
    """All families that have samples, one after the other."""
    lines: list[str] = []
    for one in families:
        if one.samples:
            metric = one.metric
            lines += [f"# HELP {metric.name} {metric.meaning}", f"# TYPE {metric.name} {metric.kind}"]
            for values, value in one.samples:
                lines += _lines(metric.name, one.labels, values, value)
    return "\n".join([*lines, ""])


def _lines(name: str, labels: tuple[str, ...], values: Values, value: Value) -> Iterator[str]:
    inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in zip(labels, values, strict=True))
    if not isinstance(value, Distribution):
        yield f"{name}{{{inside}}} {value!r}" if inside else f"{name} {value!r}"
        return
    comma = "," if inside else ""
    below = 0
    for bound, count in zip((*map(repr, value.bounds), "+Inf"), value.counts, strict=True):
        below += count
        yield f'{name}_bucket{{{inside}{comma}le="{bound}"}} {below}'
    braces = f"{{{inside}}}" if inside else ""
    yield f"{name}_sum{braces} {value.total!r}"
    yield f"{name}_count{braces} {below}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
