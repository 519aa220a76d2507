"""Captures recorded with a meter beside the store, and what text of metrics says."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from rpcscope.capture import CaptureReader
from rpcscope.cli.metered import metered
from rpcscope.export.metrics.family import Family
from rpcscope.export.metrics.meter import Meters
from rpcscope.export.metrics.text import exposition
from rpcscope.pipeline import Recorder
from rpcscope.rules import load_rules
from rpcscope.store import Store

Key = tuple[str, frozenset[tuple[str, str]]]
"""Name of a sample and its labels."""


def record_captures(store: Store, meters: Meters | None, paths: Iterable[Path], label: str = "nova") -> None:
    """Each capture into the store as a recording of this label, counted by the meters."""
    for path in paths:
        with CaptureReader(path) as reader:
            resume = store.writer().start(
                source="file", scope="file", digest=reader.digest, label=label, tap_mode=reader.mode, conditions="",
                started_ns=0,
            )  # fmt: skip
            recorder = Recorder(metered(store.writer(), meters, resume), resume, load_rules())
            recorder.run(reader, batch_events=100)
            recorder.end(rejected=reader.rejected)


def samples(text: str) -> dict[Key, float]:
    """Every sample of a text of metrics, as Prometheus's own parser reads it."""
    families = text_string_to_metric_families(text)
    return {(s.name, frozenset(s.labels.items())): s.value for one in families for s in one.samples}


def told(families: Iterable[Family]) -> dict[Key, float]:
    """The same of families."""
    return samples(exposition(families))


def summed(found: dict[Key, float], name: str, *labels: str) -> dict[tuple[str, ...], float]:
    """The samples of one metric added up by some of its labels."""
    sums: dict[tuple[str, ...], float] = {}
    for (metric, pairs), value in found.items():
        if metric == name:
            key = tuple(dict(pairs)[label] for label in labels)
            sums[key] = sums.get(key, 0) + value
    return sums


def without_zeros(found: dict[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    """Counts of what there was: some series begin before there is one."""
    return {key: value for key, value in found.items() if value}


def promtool(*arguments: str, text: str = "") -> str:
    """Debian's promtool; what it says, which is nothing or SUCCESS when all is well."""
    done = subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True, timeout=60, check=False)
    said = f"{done.stdout}{done.stderr}"
    assert done.returncode == 0, said
    return said
