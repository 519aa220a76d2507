"""From which queues a process gets its requests, and how deep they were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache

from rpcscope.model import Process, QueueSample
from rpcscope.query.queues import GONE, REPEATED_NS
from rpcscope.query.steps import Number, Steps, added
from rpcscope.store.protocol import Reader


class Consumed:
    """The queues of a time, each asked for once."""

    def __init__(self, reader: Reader, from_ns: int, to_ns: int) -> None:
        self._reader, self._from_ns, self._to_ns = reader, from_ns, to_ns
        self._queues: defaultdict[str, set[str]] = defaultdict(set)
        for layouts in reader.layouts().values():
            for layout in layouts:
                for one in layout.consumers:
                    self._queues[one.process].add(one.queue)
        self._history = cache(self._asked)

    def queues(self, process: Process) -> tuple[str, ...]:
        """Queues of requests that it consumes: as the broker's layout says, else as its topic and host do."""
        told = self._queues.get(process.key, set())
        found = {name for name in told if not name.startswith("reply_") and "_fanout" not in name}
        if not found and process.role:
            found = {process.role} | ({f"{process.role}.{process.host}"} if process.host else set())
        return tuple(sorted(found))

    def depth(self, vhost: str, queues: Sequence[str]) -> Steps:
        """Ready and unacknowledged messages in them together; empty when none of them was sampled."""
        known = [steps for queue in queues if (steps := self._history(vhost, queue))]
        return added(known) if known else ()

    def _asked(self, vhost: str, queue: str) -> Steps:
        samples = self._reader.queue_history(queue, self._from_ns - REPEATED_NS, self._to_ns)
        return tuple((max(q.at_ns, self._from_ns), _depth(q)) for q in _cut(samples, vhost, self._from_ns))


def _cut(samples: Sequence[QueueSample], vhost: str, from_ns: int) -> list[QueueSample]:
    """Those within a time, and the last before it."""
    mine = [q for q in samples if q.vhost == vhost]
    before = [q for q in mine if q.at_ns <= from_ns]
    return before[-1:] + [q for q in mine if q.at_ns > from_ns]


def _depth(sample: QueueSample) -> Number:
    known = [count for count in (sample.ready, sample.unacked) if count is not None]
    return sum(known) if known and sample.state != GONE else None
