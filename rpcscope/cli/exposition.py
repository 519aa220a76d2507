"""Recorders' health in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rpcscope.cli.health import Word
from rpcscope.model import GapCause
from rpcscope.modes import visible
from rpcscope.store.protocol import GapTotal
from rpcscope.vitals import cpu_s, rss_bytes

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels = tuple[tuple[str, str], ...]
Sample = tuple[Labels, float | None]


def exposition(words: Sequence[Word]) -> str:
    """All metrics of the recorders of this process. What is not known has no sample."""
    lines: list[str] = []
    for name, meaning, samples in _metrics(words):
        known = [(labels, value) for labels, value in samples if value is not None]
        if known:
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += [f"# HELP rpcscope_{name} {meaning}", f"# TYPE rpcscope_{name} {kind}"]
            lines += [f"rpcscope_{name}{_shown(labels)} {value!r}" for labels, value in known]
    return "\n".join([*lines, ""])


def _metrics(words: Sequence[Word]) -> Iterator[tuple[str, str, Iterable[Sample]]]:
    yield "cpu_seconds_total", "CPU that the process of the recorders used.", [((), cpu_s())]
    yield "resident_memory_bytes", "Memory of the process of the recorders.", [((), rss_bytes())]
    yield from _counts(words)
    yield from _gauges(words)
    yield from _blind(words)


def _counts(words: Sequence[Word]) -> Iterator[tuple[str, str, Iterable[Sample]]]:
    def of(name: str) -> list[Sample]:
        return [(_labels(w), getattr(w.counters, name)) for w in words]

    def seen(name: str) -> list[Sample]:
        return [(_labels(w), visible(w.counters, w.recording.tap_mode)[name]) for w in words]

    yield "events_total", "Events seen by the tap.", of("seen")
    yield "messages_total", "Messages published.", seen("messages")
    yield "copies_total", "Deliveries of messages.", seen("copies")
    yield "rejected_total", "Events that are no oslo.messaging messages.", of("rejected")
    yield "duplicates_total", "Events that the broker gave twice.", of("duplicates")
    yield "evicted_total", "Calls given up to bound memory.", of("evicted")


def _gauges(words: Sequence[Word]) -> Iterator[tuple[str, str, Iterable[Sample]]]:
    def of(name: str, unit: float = 1) -> list[Sample]:
        values = ((_labels(w), getattr(w.health, name)) for w in words)
        return [(labels, None if value is None else value / unit) for labels, value in values]

    yield "events_per_second", "Events a second over the last minute.", of("events_rate")
    yield "lag_seconds", "How late events are read.", of("lag_ns", 1e9)
    yield "backlog_events", "Events read and not yet taken up.", of("backlog")
    yield "last_commit_timestamp_seconds", "When the database last took something.", of("stored_ns", 1e9)
    yield "started_timestamp_seconds", "When recording began.", of("since_ns", 1e9)
    yield "nodes_traced", "Nodes of the broker that were seen tracing.", of("nodes_traced")
    yield "nodes", "Nodes of the broker that run.", of("nodes")


def _blind(words: Sequence[Word]) -> Iterator[tuple[str, str, Iterable[Sample]]]:
    def of(name: str, unit: float = 1) -> list[Sample]:
        return [
            ((*_labels(w), ("cause", cause.name.lower())), _total(w.gaps, cause, name) / unit)
            for w in words
            for cause in GapCause
        ]

    yield "gaps_total", "Times in which the tap was blind.", of("gaps")
    yield "blind_seconds_total", "How long the tap was blind.", of("blind_ns", 1e9)
    yield "missed_messages_total", "Messages missed, where the broker's counters tell.", of("estimate")
    yield "gaps_unestimated_total", "Gaps of which nobody knows how much was missed.", of("unknown")


def _total(gaps: Iterable[GapTotal], cause: GapCause, name: str) -> int:
    return sum(getattr(total, name) for total in gaps if total.cause is cause)


def _labels(word: Word) -> Labels:
    one = word.recording
    return (("recording", str(one.id)), ("vhost", one.label), ("scope", one.scope), ("mode", one.tap_mode))


def _shown(labels: Labels) -> str:
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{inside}}}" if inside else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
