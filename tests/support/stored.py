"""Stores that tests fill by hand: each list of sightings is a recording of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rpcscope.model import Sighting
from rpcscope.pipeline import Recorder
from rpcscope.rules import load_rules
from rpcscope.store import Store
from tests.support.memory import Given


def keep(
    store: Store,
    *recordings: Sequence[Sighting],
    mode: str = "full",
    ended: bool = True,
    labels: Iterable[str] = (),
    use_traceparent: bool = True,
) -> None:
    """Record each list into the store."""
    names = list(labels) or [f"cell-{number}" for number, _ in enumerate(recordings)]
    for sightings, label in zip(recordings, names, strict=True):
        writer = store.writer()
        resume = writer.start(
            source="firehose", scope=f"scope {label}", digest="", label=label, tap_mode=mode, conditions="",
            started_ns=1,
        )  # fmt: skip
        recorder = Recorder(writer, resume, load_rules(), use_traceparent=use_traceparent)
        recorder.run(Given(sightings))
        if ended:
            recorder.end()
