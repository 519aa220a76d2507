"""How recorders fare, as metrics: how late they read, what they missed, what they left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rpcscope.export.metrics import catalogue
from rpcscope.export.metrics.family import Family, Metric, Value, Values, family
from rpcscope.model import Counters, GapCause, Recording
from rpcscope.modes import visible
from rpcscope.store.protocol import GapTotal, RecorderHealth
from rpcscope.vitals import cpu_s, rss_bytes

_Samples = Iterable[tuple[Values, Value | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a recorder says of itself."""

    recording: Recording
    health: RecorderHealth | None  # None while it says nothing: what it said before is no longer so
    counters: Counters
    gaps: tuple[GapTotal, ...]  # as far as they are stored


def recorder_families(words: Sequence[Word]) -> list[Family]:
    """All metrics of recorders, and those of this process."""
    found: list[tuple[Metric, _Samples]] = [
        (catalogue.CPU, [((), cpu_s())]),
        (catalogue.MEMORY, [((), rss_bytes())]),
        (catalogue.RECORDER_UP, [(_labels(word), int(word.health is not None)) for word in words]),
    ]
    return [family(metric, samples) for metric, samples in (*found, *_counts(words), *_levels(words), *_blind(words))]


def _counts(words: Sequence[Word]) -> Iterator[tuple[Metric, _Samples]]:
    named = (
        (catalogue.SEEN, "seen"), (catalogue.REJECTED, "rejected"), (catalogue.DUPLICATES, "duplicates"),
        (catalogue.EVICTED, "evicted"),
    )  # fmt: skip
    for metric, name in named:
        yield metric, [(_labels(word), getattr(word.counters, name)) for word in words]
    for metric, name in ((catalogue.MESSAGES, "messages"), (catalogue.COPIES, "copies")):
        yield metric, [(_labels(word), visible(word.counters, word.recording.tap_mode)[name]) for word in words]


def _levels(words: Sequence[Word]) -> Iterator[tuple[Metric, _Samples]]:
    named = (
        (catalogue.EVENTS_RATE, "events_rate", 1.0), (catalogue.LAG, "lag_ns", 1e9),
        (catalogue.BACKLOG, "backlog", 1.0),
        (catalogue.LAST_COMMIT, "stored_ns", 1e9), (catalogue.STARTED, "since_ns", 1e9),
        (catalogue.NODES_TRACED, "nodes_traced", 1.0), (catalogue.NODES, "nodes", 1.0),
    )  # fmt: skip
    for metric, name, unit in named:
        told = ((_labels(word), getattr(word.health, name)) for word in words if word.health is not None)
        yield metric, [(labels, None if value is None else value / unit) for labels, value in told]


def _blind(words: Sequence[Word]) -> Iterator[tuple[Metric, _Samples]]:
    named = (
        (catalogue.GAPS, "gaps", 1.0), (catalogue.BLIND, "blind_ns", 1e9), (catalogue.MISSED, "estimate", 1.0),
        (catalogue.UNESTIMATED, "unknown", 1.0),
    )  # fmt: skip
    for metric, name, unit in named:
        yield (
            metric,
            [
                ((*_labels(word), cause.name.lower()), _total(word.gaps, cause, name) / unit)
                for word in words
                for cause in GapCause
            ],
        )


def _total(gaps: Iterable[GapTotal], cause: GapCause, name: str) -> int:
    return sum(getattr(total, name) for total in gaps if total.cause is cause)


def _labels(word: Word) -> Values:
    one = word.recording
    return str(one.id), one.label, one.scope, one.tap_mode
