"""Calls, counted: one row for each method, client and topic, from which every metric of RPCs is added up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rpcscope.export.metrics.family import Family, Metric, Value, Values, added, family
from rpcscope.export.metrics.news import New
from rpcscope.export.metrics.row import Row
from rpcscope.export.metrics.services import OTHER, Services
from rpcscope.export.metrics.views import VIEWS, WORDS, Key


class CallMeter:
    """Counts the calls of one recorder. Not for several threads at once."""

    def __init__(self, services: Services, *, hosts: bool, most: int) -> None:
        """Nothing is counted yet."""
        self._services, self._hosts, self._most = services, hosts, most
        self._rows: dict[Key, Row] = {}
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

    def _begin(self, key: Key) -> Row:
        if len(self._rows) >= self._most:
            self.folded += 1
            key = (key[0], OTHER, OTHER, OTHER, OTHER if self._hosts else "")
        return self._rows.setdefault(key, Row())

    def families(self, vhost: str) -> list[Family]:
        """Every metric of RPCs, for calls of this vhost."""
        rows = list(self._rows.items())

        return [self._added_up(metric, found(rows), vhost) for metric, found in VIEWS]

    def _added_up(self, metric: Metric, found: Iterator[tuple[Values, str, Value]], vhost: str) -> Family:
        sums: dict[Values, Value] = {}
        for values, host, value in found:
            key = (vhost, *values, host) if self._hosts and metric.has_hosts else (vhost, *values)
            sums[key] = added(sums[key], value) if key in sums else value
        return family(metric, sums.items(), hosts=self._hosts)
