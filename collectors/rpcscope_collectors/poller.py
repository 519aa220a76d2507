"""What a tap asks the management API for while it records, off the hot path: one thread that only does HTTP."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence

from rpcscope.errors import BrokerError, RpcscopeError
from rpcscope.model import Gap, GapCause, Sighting
from rpcscope_collectors.management import Management
from rpcscope_collectors.tracing import Tracing
from rpcscope_collectors.worker import Worker

_RETRY_S = 1.0  # while it is not known whether all is traced
_FRESH_NS = 5_000_000_000  # the broker itself counts no faster
_NEVER_NS = 2**63  # nobody is asked: what is waited for has come
_log = logging.getLogger(__name__)


class PublishCount:
    """The broker's counter of publishes over time, to tell how many there were between two times.

    The broker renews it every few seconds, so what comes out is an estimate.
    """

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._samples: deque[tuple[int, int]] = deque(maxlen=240)

    def add(self, at_ns: int, total: int) -> None:
        """Take one reading. A smaller one than before is a broker that began to count again."""
        if self._samples and total < self._samples[-1][1]:
            self._samples.clear()
        self._samples.append((at_ns, total))

    def between(self, from_ns: int, to_ns: int) -> int | None:
        """Publishes between two times; None with less than two readings."""
        samples = list(self._samples)
        if len(samples) < 2:
            return None
        return round(_at(samples, to_ns) - _at(samples, from_ns))


class Poller:
    """Polls topology, queue names, the publish counter, and whether tracing is still on."""

    def __init__(
        self,
        managements: Sequence[Management],
        vhost: str,
        tracing: Tracing | None,
        *,
        interval_s: float,
        hand_on: Callable[[Sighting], None],
        look: Callable[[Management, str], None],
    ) -> None:
        """Nothing is asked yet. `look` asks at each poll what else the tap has to know of the vhost."""
        self.published = PublishCount()
        self.polled_ns = 0 if managements else _NEVER_NS  # when the last poll began that told who is connected
        self._managements, self._vhost, self._tracing = tuple(managements), vhost, tracing
        self._interval_s, self._hand_on, self._look = interval_s, hand_on, look
        self._traced_ns = time.time_ns()
        self._told: set[str] = set()  # failures said once, until they are over
        self._worker = Worker("poller", self._step)

    def start(self) -> None:
        """Begin, with the first poll at once."""
        self._worker.start()

    def poke(self) -> None:
        """Poll now: the broker was away."""
        self._worker.poke()

    def hasten(self) -> None:
        """Poll now, unless that was done in the last seconds: what was dropped is estimated from the counter."""
        if time.time_ns() - self.polled_ns > _FRESH_NS:
            self.poke()

    def stop(self) -> None:
        """End; waits for an answer that is under way, at most the API's timeout."""
        self._worker.stop()

    def _step(self) -> float:
        traced = self._try("tracing", self._check_tracing)
        polled = self._try("topology", self._poll)
        return self._interval_s if traced and polled else min(_RETRY_S, self._interval_s)

    def _try(self, what: str, step: Callable[[], None]) -> bool:
        try:
            step()
        except RpcscopeError as error:
            if what not in self._told:
                self._told.add(what)
                _log.warning("%s", error)
            return False
        self._told.discard(what)
        return True

    def _check_tracing(self) -> None:
        if self._tracing is None or not self._tracing.is_begun:
            self._traced_ns = time.time_ns()
            return
        lost = self._tracing.rearm()
        now = time.time_ns()
        if lost:
            note = f"tracing was off on {', '.join(lost)}"
            self._hand_on(Gap(from_ns=self._traced_ns, to_ns=now, cause=GapCause.NOT_TRACED, note=note))
        self._traced_ns = now

    def _poll(self) -> None:
        management = self._answering()
        if management is None:
            return
        began_ns = time.time_ns()
        self._look(management, self._vhost)
        self._hand_on(management.topology(self._vhost))
        self.polled_ns = began_ns
        self._try("counters", lambda: self._count(management))

    def _answering(self) -> Management | None:
        fault: BrokerError | None = None
        for management in self._managements:
            try:
                management.overview()
                return management
            except BrokerError as error:
                fault = error
        if fault is not None:
            raise fault
        return None

    def _count(self, management: Management) -> None:
        self.published.add(time.time_ns(), management.published(self._vhost))


def _at(samples: Sequence[tuple[int, int]], at_ns: int) -> float:
    """The counter at a time, on the line between the two readings around it or the two nearest."""
    later = next((n for n, (when, _) in enumerate(samples) if when >= at_ns), len(samples) - 1)
    (t0, c0), (t1, c1) = samples[max(0, later - 1) : max(0, later - 1) + 2]
    return c0 + (c1 - c0) * (at_ns - t0) / max(1, t1 - t0)
