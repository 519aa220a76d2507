"""Metrics of RPCs, each as a view of the rows that are counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from rpcscope.export.metrics import catalogue
from rpcscope.export.metrics.family import Distribution, Metric, Value, Values
from rpcscope.export.metrics.row import OUTCOMES, SHOWN_FLAGS, Row
from rpcscope.model import MessageKind

WORDS = {MessageKind.REQUEST: "call", MessageKind.CAST: "cast", MessageKind.FANOUT: "fanout"}
Key = tuple[MessageKind, str, str, str, str]
"""Kind, method, client, topic, host."""
_FROM_ZERO = ("ok", "failed", "timed_out")
"""Told before there is one: Prometheus sees no increase in a series that begins."""


def _rpcs(rows: list[tuple[Key, Row]]) -> Iterator[tuple[Values, str, Value]]:
    for (kind, method, client, topic, host), row in rows:
        yield (WORDS[kind], method, client, topic), host, row.published


def _outcomes(rows: list[tuple[Key, Row]]) -> Iterator[tuple[Values, str, Value]]:
    for (kind, method, _, _, host), row in rows:
        if kind is MessageKind.REQUEST:
            for word, count in zip(OUTCOMES, row.outcomes, strict=True):
                if count or word in _FROM_ZERO:
                    yield (method, word), host, count


def _flags(rows: list[tuple[Key, Row]]) -> Iterator[tuple[Values, str, Value]]:
    for (_, method, _, _, host), row in rows:
        found: defaultdict[str, int] = defaultdict(int)
        for flags, count in list(row.flags.items()):
            for flag in SHOWN_FLAGS:
                if flags & flag:
                    found[str(flag.name).lower()] += count
        for word, count in found.items():
            yield (method, word), host, count


def _bytes(rows: list[tuple[Key, Row]]) -> Iterator[tuple[Values, str, Value]]:
    for (_, method, _, _, host), row in rows:
        yield (method, "request"), host, row.request_bytes
        if row.reply_bytes:
            yield (method, "reply"), host, row.reply_bytes


def _client(rows: list[tuple[Key, Row]]) -> Iterator[tuple[Values, str, Value]]:
    for (_, method, client, _, host), row in rows:
        if any(row.client):
            yield (method, client), host, _seconds(row.client, row.client_ns)


def _server(rows: list[tuple[Key, Row]]) -> Iterator[tuple[Values, str, Value]]:
    for (_, method, _, topic, host), row in rows:
        if any(row.server):
            yield (method, topic), host, _seconds(row.server, row.server_ns)


def _waits(rows: list[tuple[Key, Row]]) -> Iterator[tuple[Values, str, Value]]:
    for (kind, _, _, topic, host), row in rows:
        if any(row.wait):
            yield (WORDS[kind], topic), host, _seconds(row.wait, row.wait_ns)


def _seconds(counts: list[int], total_ns: int) -> Distribution:
    return Distribution(catalogue.SECONDS, tuple(counts), total_ns / 1e9)


_Found = Iterator[tuple[Values, str, Value]]
"""Values of the labels without vhost and host, the host, the value."""
VIEWS: tuple[tuple[Metric, Callable[[list[tuple[Key, Row]]], _Found]], ...] = (
    (catalogue.RPCS_TOTAL, _rpcs),
    (catalogue.OUTCOMES, _outcomes),
    (catalogue.FLAGS, _flags),
    (catalogue.BYTES, _bytes),
    (catalogue.CLIENT_SECONDS, _client),
    (catalogue.SERVER_SECONDS, _server),
    (catalogue.WAIT_SECONDS, _waits),
)
