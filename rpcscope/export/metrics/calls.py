"""Calls, counted: one row for each method, client and topic, from which every metric of RPCs is added up."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from rpcscope.export.metrics import catalogue
from rpcscope.export.metrics.family import Distribution, Family, Metric, Value, Values, added, family
from rpcscope.export.metrics.news import New
from rpcscope.export.metrics.services import OTHER, Services
from rpcscope.model import Flag, MessageKind, Outcome

WORDS = {MessageKind.REQUEST: "call", MessageKind.CAST: "cast", MessageKind.FANOUT: "fanout"}
_BOUNDS_NS = tuple(int(bound * 1e9) for bound in catalogue.SECONDS)
_BUCKETS = len(_BOUNDS_NS) + 1
_OUTCOMES = ("unknown", *(outcome.name.lower() for outcome in Outcome if outcome), "expected_failure")
_FROM_ZERO = ("ok", "failed", "timed_out")
"""Told before there is one: Prometheus sees no increase in a series that begins."""
_EXPECTED = len(_OUTCOMES) - 1
_SHOWN_FLAGS = tuple(
    flag for flag in Flag if flag not in (Flag.NO_REQUEST, Flag.EXPECTED_FAILURE)
)  # those two are said by the outcome, or are no RPC of their own
_ANY_FLAG = sum(_SHOWN_FLAGS)
Key = tuple[MessageKind, str, str, str, str]
"""Kind, method, client, topic, host."""


class _Row:
    """What the calls of one key add up to. Times in nanoseconds."""

    __slots__ = ("client", "client_ns", "flags", "outcomes", "published", "reply_bytes", "request_bytes", "server",
                 "server_ns", "wait", "wait_ns")  # fmt: skip

    def __init__(self) -> None:
        self.published = self.request_bytes = self.reply_bytes = 0
        self.outcomes = [0] * len(_OUTCOMES)
        self.client, self.server, self.wait = [0] * _BUCKETS, [0] * _BUCKETS, [0] * _BUCKETS
        self.client_ns = self.server_ns = self.wait_ns = 0
        self.flags: dict[int, int] = {}

    def add(self, one: New) -> None:
        """What is new of a call; the hottest lines of the room."""
        c = one.call
        self.published += one.publishes
        self.request_bytes += one.request_bytes
        published, delivered, replied = c.published_ns, c.delivered_ns, c.replied_ns
        if one.waited and published is not None and delivered is not None:
            self.wait[bisect_left(_BOUNDS_NS, delivered - published)] += 1
            self.wait_ns += delivered - published
        if not one.closed:
            return
        self.reply_bytes += c.reply_bytes
        if c.kind is MessageKind.REQUEST:
            self.outcomes[_EXPECTED if c.flags & Flag.EXPECTED_FAILURE else c.outcome] += 1
            if replied is not None:
                if published is not None and replied >= published:
                    self.client[bisect_left(_BOUNDS_NS, replied - published)] += 1
                    self.client_ns += replied - published
                if delivered is not None and replied >= delivered:
                    self.server[bisect_left(_BOUNDS_NS, replied - delivered)] += 1
                    self.server_ns += replied - delivered
        if c.flags & _ANY_FLAG:
            self.flags[c.flags] = self.flags.get(c.flags, 0) + 1


class CallMeter:
    """Counts the calls of one recorder. Not for several threads at once."""

    def __init__(self, services: Services, *, hosts: bool, most: int) -> None:
        """Nothing is counted yet."""
        self._services, self._hosts, self._most = services, hosts, most
        self._rows: dict[Key, _Row] = {}
        self.folded = 0

    def take(self, news: Iterable[New]) -> None:
        """Count calls, casts and fanouts; notifications and replies without a request are none."""
        rows, services, hosts = self._rows, self._services, self._hosts
        for one in news:
            c = one.call
            kind = c.kind
            if kind not in WORDS:
                continue
            topic = c.topic or c.exchange.removesuffix("_fanout")
            host = (services.host(c.to_process) or c.server) if hosts else ""
            key = (kind, c.method, services.name(c.from_process), topic, host)
            row = rows.get(key)
            if row is None:
                row = self._begin(key)
            row.add(one)

    def _begin(self, key: Key) -> _Row:
        if len(self._rows) >= self._most:
            self.folded += 1
            key = (key[0], OTHER, OTHER, OTHER, OTHER if self._hosts else "")
        return self._rows.setdefault(key, _Row())

    def families(self, vhost: str) -> list[Family]:
        """Every metric of RPCs, for calls of this vhost."""
        rows = list(self._rows.items())

        return [self._added_up(metric, found(rows), vhost) for metric, found in _VIEWS]

    def _added_up(self, metric: Metric, found: Iterator[tuple[Values, str, Value]], vhost: str) -> Family:
        sums: dict[Values, Value] = {}
        for values, host, value in found:
            key = (vhost, *values, host) if self._hosts and metric.has_hosts else (vhost, *values)
            sums[key] = added(sums[key], value) if key in sums else value
        return family(metric, sums.items(), hosts=self._hosts)


def _rpcs(rows: list[tuple[Key, _Row]]) -> Iterator[tuple[Values, str, Value]]:
    for (kind, method, client, topic, host), row in rows:
        yield (WORDS[kind], method, client, topic), host, row.published


def _outcomes(rows: list[tuple[Key, _Row]]) -> Iterator[tuple[Values, str, Value]]:
    for (kind, method, _, _, host), row in rows:
        if kind is MessageKind.REQUEST:
            for word, count in zip(_OUTCOMES, row.outcomes, strict=True):
                if count or word in _FROM_ZERO:
                    yield (method, word), host, count


def _flags(rows: list[tuple[Key, _Row]]) -> Iterator[tuple[Values, str, Value]]:
    for (_, method, _, _, host), row in rows:
        found: defaultdict[str, int] = defaultdict(int)
        for flags, count in list(row.flags.items()):
            for flag in _SHOWN_FLAGS:
                if flags & flag:
                    found[str(flag.name).lower()] += count
        for word, count in found.items():
            yield (method, word), host, count


def _bytes(rows: list[tuple[Key, _Row]]) -> Iterator[tuple[Values, str, Value]]:
    for (_, method, _, _, host), row in rows:
        yield (method, "request"), host, row.request_bytes
        if row.reply_bytes:
            yield (method, "reply"), host, row.reply_bytes


def _client(rows: list[tuple[Key, _Row]]) -> Iterator[tuple[Values, str, Value]]:
    for (_, method, client, _, host), row in rows:
        if any(row.client):
            yield (method, client), host, _seconds(row.client, row.client_ns)


def _server(rows: list[tuple[Key, _Row]]) -> Iterator[tuple[Values, str, Value]]:
    for (_, method, _, topic, host), row in rows:
        if any(row.server):
            yield (method, topic), host, _seconds(row.server, row.server_ns)


def _waits(rows: list[tuple[Key, _Row]]) -> Iterator[tuple[Values, str, Value]]:
    for (kind, _, _, topic, host), row in rows:
        if any(row.wait):
            yield (WORDS[kind], topic), host, _seconds(row.wait, row.wait_ns)


def _seconds(counts: list[int], total_ns: int) -> Distribution:
    return Distribution(catalogue.SECONDS, tuple(counts), total_ns / 1e9)


_Found = Iterator[tuple[Values, str, Value]]
"""Values of the labels without vhost and host, the host, the value."""
_VIEWS: tuple[tuple[Metric, Callable[[list[tuple[Key, _Row]]], _Found]], ...] = (
    (catalogue.RPCS_TOTAL, _rpcs),
    (catalogue.OUTCOMES, _outcomes),
    (catalogue.FLAGS, _flags),
    (catalogue.BYTES, _bytes),
    (catalogue.CLIENT_SECONDS, _client),
    (catalogue.SERVER_SECONDS, _server),
    (catalogue.WAIT_SECONDS, _waits),
)
