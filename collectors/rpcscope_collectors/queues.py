"""The queue tap: looks at all queues now and then, as often as a stated share of a broker core allows."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from rpcscope.errors import BrokerError, RpcscopeError
from rpcscope.model import NodeState, QueuePoll, QueueSample, QueueSamples, QueueSighting
from rpcscope_collectors.prometheus import Prometheus, Reading
from rpcscope_collectors.queue_api import QueueApi
from rpcscope_collectors.tap_queue import is_of_dropped
from rpcscope_collectors.worker import Worker

_LAYOUT_NS = 3_600_000_000_000  # the longest between two looks at bindings
_MEMORY_EVERY = 10  # polls; memory costs several times what the rest does
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long to wait after a poll, so that polls cost at most `share` of one core on the average.

    Nothing is asked more often than every `shortest_s`, nor less often than every `longest_s`: with a poll that takes
    more than `share * longest_s` the share is exceeded, and the stored polls show it.
    """

    share: float = 0.02
    shortest_s: float = 5.0
    longest_s: float = 300.0

    def interval_ns(self, cost_ns: int) -> int:
        """Until the next poll, by what the last ones cost."""
        return round(min(max(cost_ns / self.share, self.shortest_s * 1e9), self.longest_s * 1e9))


class QueueTap:
    """Looks at the queues, nodes and bindings of one vhost from a thread of its own. No failure ends it."""

    def __init__(
        self,
        vhost: str,
        *,
        apis: Sequence[QueueApi] = (),
        metrics: Sequence[Prometheus] = (),
        pace: Pace | None = None,
        slow_s: float = 300.0,
        hand_on: Callable[[QueueSighting], None],
    ) -> None:
        """Nothing is asked yet.

        `metrics` has one of each node of the cluster; without them, or while one does not answer, the first of `apis`
        that answers is asked for queues. Without `apis`, what metrics do not tell stays unknown: type, node, durable,
        state, rates, nodes, bindings, and whether a queue is gone. Facts are renewed every `slow_s`; bindings too when
        queues came or went, else every hour.
        """
        self._vhost, self._apis, self._metrics = vhost, tuple(apis), tuple(metrics)
        self._pace, self._slow_ns, self._hand_on = pace or Pace(), round(slow_s * 1e9), hand_on
        self._facts: Mapping[str, QueueSample] = {}
        self._memory: Mapping[str, int | None] = {}
        self._costs: deque[int] = deque(maxlen=_MEMORY_EVERY)
        self._polls = self._slow_at = self._layout_at = 0
        self._laid_out: frozenset[str] = frozenset()  # the queues when bindings were asked for
        self._told: set[str] = set()  # failures said once, until they are over
        self._worker = Worker("queues", lambda: self.poll() / 1e9)

    def start(self) -> None:
        """Begin, with the first poll at once."""
        self._worker.start()

    def stop(self) -> None:
        """End; waits for an answer that is under way, at most the timeout of a request."""
        self._worker.stop()

    def poll(self) -> int:
        """Look once and hand on what is seen, the queues last; ns until the next look is due.

        What does not answer is logged in one sentence, once, and is not handed on.
        """
        began_ns, cpu_ns = time.monotonic_ns(), time.thread_time_ns()
        nodes = self._try("nodes", lambda: self._ask(QueueApi.node_states)) or () if self._apis else ()
        self._look_slowly()
        look = self._try("queues", lambda: self._look(nodes))
        self._look_at_bindings(frozenset(q.queue for q in look.samples) if look is not None else self._laid_out)
        took_ns, cpu_ns = time.monotonic_ns() - began_ns, time.thread_time_ns() - cpu_ns
        self._costs.append(took_ns)
        # The mean, so that one dear poll in ten does not blind us for minutes.
        interval_ns = self._pace.interval_ns(sum(self._costs) // len(self._costs))
        for node in nodes:
            self._hand_on(node)
        if look is not None:
            poll = replace(look.poll, took_ns=took_ns, own_cpu_ns=cpu_ns, interval_ns=interval_ns)
            self._hand_on(replace(look, poll=poll))
        return interval_ns

    def _look_slowly(self) -> None:
        now = time.monotonic_ns()
        if not self._apis or (self._slow_at and now - self._slow_at < self._slow_ns):
            return
        self._slow_at = now
        if self._metrics:  # the API's samples have their facts with them
            self._facts = self._try("facts", lambda: self._ask(lambda api: api.facts(self._vhost))) or self._facts

    def _look_at_bindings(self, queues: frozenset[str]) -> None:
        now = time.monotonic_ns()
        since = now - self._layout_at
        is_due = since >= _LAYOUT_NS or (since >= self._slow_ns and queues != self._laid_out)
        if not self._apis or (self._layout_at and not is_due):
            return
        self._layout_at = now
        layout = self._try("bindings", lambda: self._ask(lambda api: api.layout(self._vhost)))
        if layout is not None:
            self._laid_out = queues
            self._hand_on(layout)

    def _look(self, nodes: Sequence[NodeState]) -> QueueSamples:
        at_ns = time.time_ns()
        if self._metrics:
            readings = self._try("metrics", self._read)
            if readings is not None:
                # A node that nobody asks has queues of its own; without the API nobody knows how many nodes there are.
                whole = 0 < len(nodes) <= len(self._metrics) and all(n.running for n in nodes)
                samples = tuple(self._samples(at_ns, readings))
                return self._bundle(at_ns, "prometheus", samples, whole)
        if not self._apis:
            raise BrokerError(
                "No source of queue depths answers: give a management URL, or correct the Prometheus URL."
            )
        found = self._ask(lambda api: api.samples(self._vhost))
        return self._bundle(at_ns, "management", tuple(replace(q, at_ns=at_ns) for q in found), True)

    def _bundle(self, at_ns: int, source: str, samples: tuple[QueueSample, ...], complete: bool) -> QueueSamples:
        samples = tuple(one for one in samples if not is_of_dropped(one.queue))  # a tap's own, and without a consumer
        poll = QueuePoll(
            at_ns=at_ns,
            vhost=self._vhost,
            source=source,
            queues=len(samples),
            took_ns=0,
            own_cpu_ns=0,
            interval_ns=0,
            complete=complete,
        )
        return QueueSamples(poll=poll, samples=samples)

    def _read(self) -> dict[str, Reading]:
        self._polls += 1
        memory = self._polls % _MEMORY_EVERY == 0
        found: dict[str, Reading] = {}
        for node in self._metrics:
            found |= node.queues(self._vhost, memory=memory)
        if memory:
            self._memory = {name: reading.memory for name, reading in found.items()}
        return found

    def _samples(self, at_ns: int, readings: Mapping[str, Reading]) -> Iterator[QueueSample]:
        unknown = QueueSample(at_ns=at_ns, vhost=self._vhost, queue="")
        for name, reading in readings.items():
            yield replace(
                self._facts.get(name, unknown),
                at_ns=at_ns,
                queue=name,
                ready=reading.ready,
                unacked=reading.unacked,
                consumers=reading.consumers,
                memory=self._memory.get(name),
                state="",  # the facts' is of another time
            )

    def _ask(self, question: Callable[[QueueApi], _T]) -> _T:
        """The answer of the first API that gives one. Raises BrokerError."""
        fault = BrokerError("No management API is known: give its URL with --management-url.")
        for api in self._apis:
            try:
                return question(api)
            except BrokerError as error:
                fault = error
        raise fault

    def _try(self, what: str, step: Callable[[], _T]) -> _T | None:
        try:
            result = step()
        except RpcscopeError as error:
            if what not in self._told:
                self._told.add(what)
                _log.warning("%s", error)
            return None
        self._told.discard(what)
        return result
