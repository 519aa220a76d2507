"""All that is counted in one process: a meter for each recorder, and the operations of all of them."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from rpcscope.export.metrics import catalogue
from rpcscope.export.metrics.calls import CallMeter
from rpcscope.export.metrics.family import Family, Metric, Value, Values, added, family
from rpcscope.export.metrics.levels import Levels
from rpcscope.export.metrics.news import News
from rpcscope.export.metrics.operations import OperationMeter
from rpcscope.export.metrics.oslo import OsloMeter
from rpcscope.export.metrics.services import OTHER, Services
from rpcscope.model import Batch, Call, Process

MOST_VHOSTS = 100
"""Vhosts with a meter of their own: a recording of each cell, and imported files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the user wants of metrics."""

    hosts: bool = False  # a label with the host
    oslo: bool = False  # oslo.metrics' names beside our own
    most: int = 1_000  # label sets of one recorder, ten times as many with hosts; what comes later is `other`

    @property
    def most_rows(self) -> int:
        """Label sets of one recorder."""
        return self.most * (10 if self.hosts else 1)


class Meter:
    """Counts what one recorder stores. Any thread may ask its `Meters`; one alone may `take`."""

    def __init__(
        self, vhost: str, choices: Choices, services: Services, operations: OperationMeter, lock: threading.Lock
    ) -> None:
        """Nothing is counted yet."""
        self._vhost, self._services, self._operations, self._lock = vhost, services, operations, lock
        self._news = News()
        self._calls = CallMeter(services, hosts=choices.hosts, most=choices.most_rows)
        self._levels = Levels(services, hosts=choices.hosts, most=choices.most_rows)
        self._oslo = OsloMeter(services, hosts=choices.hosts, most=choices.most_rows) if choices.oslo else None
        self._now_ns = 0

    def know(self, open_calls: Iterable[Call]) -> None:
        """Calls that were open before this meter began: that they were sent is not counted."""
        with self._lock:
            self._news.know(open_calls)

    def take(self, batch: Batch) -> None:
        """Count a batch that is stored."""
        with self._lock:
            self._now_ns = max(self._now_ns, batch.last_ns)
            self._services.learn(batch.processes)
            news = list(self._news.of(batch.open_calls, batch.calls, batch.settled))
            self._calls.take(news)
            if self._oslo is not None:
                self._oslo.take(news)
            self._levels.take(batch.in_flight, batch.family_samples, batch.last_ns)
            self._operations.take(batch.operations, batch.last_ns, ended=batch.recording_id if batch.ended else 0)

    @property
    def folded(self) -> int:
        """Calls that were counted as `other`."""
        return self._calls.folded + (self._oslo.folded if self._oslo is not None else 0)

    def families(self, *, levels: bool) -> list[Family]:
        """Its metrics; the caller holds the lock. Without `levels` those that are counted alone."""
        found = self._calls.families(self._vhost)
        found += self._levels.families(self._vhost, self._now_ns) if levels else []
        return found + (self._oslo.families() if self._oslo is not None else [])


class Meters:
    """The meters of a process. Any thread may ask."""

    def __init__(self, choices: Choices | None = None) -> None:
        """There is no recorder yet."""
        self._choices = choices or Choices()
        self._lock = threading.Lock()
        self._services, self._operations = Services(), OperationMeter()
        self._meters: dict[str, Meter] = {}

    def learn(self, processes: Iterable[Process]) -> None:
        """Who is who."""
        with self._lock:
            self._services.learn(processes)

    def know(self, processes: Iterable[int]) -> bool:
        """Whether all of these are known."""
        with self._lock:
            return all(map(self._services.knows, processes))

    def open_operations(self, limit: int) -> list[int]:
        """Ids of the newest parts of operations that are not counted yet."""
        with self._lock:
            return self._operations.open_ids(limit)

    def meter(self, vhost: str) -> Meter:
        """The meter of a vhost, by the name that it has in the store."""
        with self._lock:
            if vhost not in self._meters and len(self._meters) >= MOST_VHOSTS:
                vhost = OTHER
            if vhost not in self._meters:
                self._meters[vhost] = Meter(vhost, self._choices, self._services, self._operations, self._lock)
            return self._meters[vhost]

    def families(self, live: Collection[str] | None = None) -> list[Family]:
        """All that was counted, and what is now of those vhosts that are recorded now; None: of all."""
        with self._lock:
            meters = list(self._meters.values())
            found = self._operations.families()
            for vhost, meter in self._meters.items():
                found = meter.families(levels=live is None or vhost in live) + found
            folded = sum(meter.folded for meter in meters) + self._operations.folded
        return [*joined(found), family(catalogue.FOLDED, [((), folded)])]


def joined(families: Iterable[Family]) -> list[Family]:
    """Families of one metric as one; samples of the same labels are added up."""
    found: dict[Metric, dict[Values, Value]] = {}
    labels: dict[Metric, tuple[str, ...]] = {}
    for one in families:
        labels[one.metric] = one.labels
        sums = found.setdefault(one.metric, {})
        for values, value in one.samples:
            sums[values] = added(sums[values], value) if values in sums else value
    return [Family(metric, labels[metric], tuple(sums.items())) for metric, sums in found.items()]
