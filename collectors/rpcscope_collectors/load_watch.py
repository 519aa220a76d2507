"""Watches how hard a broker works, from a thread of its own: CPU of each node, alarms, blocked publishers."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from rpcscope.errors import BrokerError
from rpcscope_collectors.load import Load, NodeLoad
from rpcscope_collectors.management import Management, NodeWork
from rpcscope_collectors.node_metrics import NodeMetrics
from rpcscope_collectors.prometheus import Prometheus
from rpcscope_collectors.queues import Pace
from rpcscope_collectors.worker import Worker

_USUAL = Pace(share=0.01, shortest_s=5.0, longest_s=60.0)
_LOOKS = 4  # in a row in which processes wait for a core: one may be a moment
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class LoadWatch:
    """Asks as often as its pace allows. No failure ends it: what does not answer is unknown, and is said once.

    The share of CPU comes from `metrics`, one of each node. `managements` tell none. Both tell alarms, and when a node
    is overworked: in each of the last looks, no fewer of its processes waited for a core than it has cores.
    """

    def __init__(
        self,
        *,
        managements: Sequence[Management] = (),
        metrics: Sequence[Prometheus] = (),
        blocked: Callable[[], bool | None] = lambda: None,
        pace: Pace = _USUAL,
    ) -> None:
        """Nothing is asked yet. `blocked` is mostly that of a tap. Give clients with timeouts of a few seconds."""
        self._managements, self._metrics, self._blocked = tuple(managements), tuple(metrics), blocked
        self._pace = pace
        self._before: dict[str, NodeMetrics] = {}  # by URL
        self._waits: dict[str, deque[bool]] = {}  # by node: of the last looks, work waited for all cores
        self._load = Load(at_ns=0)
        self._told: set[str] = set()  # failures said once, until they are over
        self._worker = Worker("load", self._step)

    @property
    def load(self) -> Load:
        """As of the last look; `at_ns` is 0 before the first. Whether publishers are blocked is as of now."""
        return replace(self._load, blocked=self._blocked())

    def start(self) -> None:
        """Begin, with the first look at once."""
        self._worker.start()

    def stop(self) -> None:
        """End; waits for an answer that is under way, at most the timeout of a request."""
        self._worker.stop()

    def look(self) -> Load:
        """Ask once. The share of CPU is known from the second time on."""
        at_ns = time.time_ns()
        nodes = {node.node: node for node in self._by_metrics()}
        for work in self._try("nodes", self._ask_any) or ():
            known = nodes.get(work.node)
            if known is None:
                over = self._is_overworked(work.node, work.waiting, work.cores)
                known = NodeLoad(node=work.node, is_overworked=over)
            alarms = tuple(dict.fromkeys((*work.alarms, *known.alarms)))
            nodes[work.node] = replace(known, alarms=alarms)
        self._load = Load(at_ns=at_ns, nodes=tuple(nodes.values()), blocked=self._blocked())
        return self._load

    def _step(self) -> float:
        began_ns = time.monotonic_ns()
        self.look()
        return self._pace.interval_ns(time.monotonic_ns() - began_ns) / 1e9

    def _by_metrics(self) -> list[NodeLoad]:
        found = []
        for source in self._metrics:
            metrics = self._try(source.url, source.node)
            if metrics is not None:
                share = metrics.cpu_share(self._before.get(source.url))
                self._before[source.url] = metrics
                over = self._is_overworked(metrics.node, metrics.waiting, metrics.cores)
                found.append(NodeLoad(node=metrics.node, cpu_share=share, is_overworked=over, alarms=metrics.alarms))
        return found

    def _is_overworked(self, node: str, waiting: float | None, cores: float | None) -> bool | None:
        if waiting is None or not cores:
            return None
        waits = self._waits.setdefault(node, deque(maxlen=_LOOKS))
        waits.append(waiting >= cores)
        return len(waits) == _LOOKS and all(waits)

    def _ask_any(self) -> tuple[NodeWork, ...]:
        fault: BrokerError | None = None
        for management in self._managements:
            try:
                return management.work()
            except BrokerError as error:
                fault = error
        if fault is not None:
            raise fault
        return ()

    def _try(self, what: str, ask: Callable[[], _T]) -> _T | None:
        try:
            answer = ask()
        except BrokerError as error:
            if what not in self._told:
                self._told.add(what)
                _log.warning("%s", error)
            return None
        self._told.discard(what)
        return answer
