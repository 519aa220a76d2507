"""The same RPCs under the names of oslo.metrics, for dashboards that know them: the caller's side alone.

oslo.metrics counts where a client calls, this counts what the broker carried: a call that found no broker is not in
it. What it can not know is `None`, as oslo.metrics writes what is not set.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

from rpcscope.export.metrics.family import Distribution, Family, Metric, Values, family
from rpcscope.export.metrics.news import New
from rpcscope.export.metrics.services import OTHER, Services
from rpcscope.model import Call, MessageKind, Outcome

LABELS = (
    "call_type", "exchange", "topic", "namespace", "version", "server", "fanout", "process", "method", "timeout",
)  # fmt: skip
SECONDS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 25.0, 50.0, 75.0, 100.0)
ABSENT = "None"
TIMEOUT = "MessagingTimeout"
_PREFIX = "oslo_messaging_rpc_client_"
STARTS = Metric(
    name=f"{_PREFIX}invocation_start_total", kind="counter", meaning="RPCs that clients sent.", labels=LABELS,
    unit="{rpc}",
)  # fmt: skip
ENDS = Metric(
    name=f"{_PREFIX}invocation_end_total", kind="counter",
    meaning="Casts that were sent, and calls whose answer was no exception.", labels=LABELS, unit="{rpc}",
)  # fmt: skip
EXCEPTIONS = Metric(
    name=f"{_PREFIX}exception_total", kind="counter", meaning="Calls that ended with an exception at the client.",
    labels=(*LABELS, "exception"), unit="{call}",
)  # fmt: skip
PROCESSING = Metric(
    name=f"{_PREFIX}processing_seconds", kind="histogram",
    meaning="From the publish of a call to that of an answer that is no exception.", labels=LABELS, unit="s",
)  # fmt: skip
METRICS = (STARTS, ENDS, EXCEPTIONS, PROCESSING)
_SENT = (MessageKind.REQUEST, MessageKind.CAST, MessageKind.FANOUT)


class OsloMeter:
    """Counts calls as oslo.metrics would. Not for several threads at once."""

    def __init__(self, services: Services, *, hosts: bool, most: int) -> None:
        """Nothing is counted yet."""
        self._services, self._hosts, self._most = services, hosts, most
        self._known: set[Values] = set()
        self._starts: Counter[Values] = Counter()
        self._ends: Counter[Values] = Counter()
        self._exceptions: Counter[Values] = Counter()
        self._took: dict[Values, tuple[list[int], list[int]]] = {}  # counts of buckets; the sum of nanoseconds
        self.folded = 0

    def take(self, news: Iterable[New]) -> None:
        """Count calls, casts and fanouts."""
        for one in news:
            if one.call.kind in _SENT:
                self._count(one, self._values(one.call))

    def families(self) -> list[Family]:
        """The four metrics that a client of oslo.messaging can tell."""
        bounds = SECONDS
        took = ((key, Distribution(bounds, tuple(counts), ns[0] / 1e9)) for key, (counts, ns) in self._took.items())
        return [
            family(STARTS, self._starts.items()),
            family(ENDS, self._ends.items()),
            family(EXCEPTIONS, self._exceptions.items()),
            family(PROCESSING, took),
        ]

    def _count(self, one: New, key: Values) -> None:
        c = one.call
        self._starts[key] += one.publishes
        if c.kind is not MessageKind.REQUEST:
            self._ends[key] += one.publishes
        elif not one.closed:
            return
        elif c.outcome is Outcome.OK:
            self._ends[key] += 1
            if c.published_ns is not None and c.replied_ns is not None and c.replied_ns >= c.published_ns:
                counts, ns = self._took.setdefault(key, ([0] * (len(SECONDS) + 1), [0]))
                counts[bisect_left(SECONDS, (c.replied_ns - c.published_ns) / 1e9)] += 1
                ns[0] += c.replied_ns - c.published_ns
        elif c.outcome in (Outcome.FAILED, Outcome.TIMED_OUT):
            failure = c.failure if c.outcome is Outcome.FAILED else TIMEOUT
            self._exceptions[self._bounded((*key, failure))] += 1

    def _values(self, c: Call) -> Values:
        fanout = c.kind is MessageKind.FANOUT
        return self._bounded(
            (
                "call" if c.kind is MessageKind.REQUEST else "cast",
                ABSENT if fanout else c.exchange or ABSENT,
                c.exchange.removesuffix("_fanout") if fanout else c.topic or ABSENT,
                c.namespace or ABSENT,
                c.version or ABSENT,
                (c.server if self._hosts else "") or ABSENT,
                "True" if fanout else ABSENT,
                self._services.name(c.from_process),
                c.method.partition("(")[0],  # of the conductor's, clients know the method alone
                ABSENT,
            )
        )

    def _bounded(self, key: Values) -> Values:
        if key in self._known:
            return key
        if len(self._known) >= self._most:
            self.folded += 1
            return (key[0], *(OTHER for _ in key[1:]))
        self._known.add(key)
        return key
