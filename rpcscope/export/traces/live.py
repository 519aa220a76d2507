"""Operations exported while they are recorded: each when it is over, by a thread that the recorder never waits for.

    recorder -> store -> take(batch): names alone -> Waiting -> thread: read, make spans, deliver

What the endpoint does not take stays in the store; what waits is bounded, and what is given up is counted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from rpcscope.errors import StoreError
from rpcscope.export.traces.allowance import Allowance
from rpcscope.export.traces.answer import Verdict
from rpcscope.export.traces.courier import Count, Courier, Sender
from rpcscope.export.traces.over import QUIET_S, SETTLED_NS, is_over
from rpcscope.export.traces.reading import Reading
from rpcscope.export.traces.requests import Gathering
from rpcscope.export.traces.sampling import Sampling
from rpcscope.export.traces.waiting import Waiting
from rpcscope.model import Batch
from rpcscope.query.operations import OperationView
from rpcscope.query.times import SECOND
from rpcscope.store.protocol import OperationFilter, Reader

log = logging.getLogger(__name__)

EVERY_S = 2.0
"""How often it looks for what is over."""
PAGE = 500
_READ_SELDOM = 20
_REMEMBERED = 20_000
"""Exported operations that are known, should they go on."""


@dataclass(slots=True)
class LiveCount:
    """What became of the operations that were heard of."""

    operations: int = 0  # exported
    over_rate: int = 0  # left out, because there were more than the rate allows
    forgotten: int = 0  # more waited than fit
    unsent: int = 0  # still waited when it ended: not over, or the endpoint did not take them
    spans: Count = field(default_factory=Count)


class LiveExport:
    """Begin it with `start`, end it with `stop`.

    Args:
        name: of the endpoint, for the log.
        rate: operations a second at most; 0: all.
        adopts: traces go on with those that oslo.messaging began.
        quiet_s: after how long without a step an operation that has no known end is taken as over.
    """

    def __init__(
        self,
        reader: Reader,
        sender: Sender,
        name: str,
        sampling: Sampling,
        *,
        rate: float = 0.0,
        adopts: bool = False,
        quiet_s: float = QUIET_S,
        every_s: float = EVERY_S,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._adopts, self._sender = adopts, sender
        self._reader, self._sampling, self._clock, self._every_s = reader, sampling, clock, every_s
        self._quiet_ns, self._allowed = int(quiet_s * SECOND), Allowance(rate)
        self._waiting = Waiting(background=sampling.background, quiet_ns=self._quiet_ns)
        self._exported: OrderedDict[str, int] = OrderedDict()
        self._reading: Reading | None = None
        self._read_again_s = 0.0
        self._end = threading.Event()
        self._courier = Courier(sender, name, pause=self._end.wait, patience_s=float("inf"))
        self._gathering = Gathering()
        self._count = LiveCount()
        self._thread = threading.Thread(target=self._run, name="rpcscope-otlp", daemon=True)

    def take(self, batch: Batch) -> None:
        """Something was stored. Any recorder's thread; it returns at once."""
        self._waiting.add(batch.operations)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, patience_s: float = 30.0) -> LiveCount:
        """Send what is over, for no longer than some seconds, and end; the sender is closed then, too."""
        self._end.set()
        self._thread.join(patience_s)
        if not self._thread.is_alive():  # else it still uses it: as a daemon it ends with the process
            self._sender.close()
        return self.count

    @property
    def count(self) -> LiveCount:
        """As of now. Any thread may ask."""
        return replace(
            self._count, forgotten=self._waiting.dropped, unsent=len(self._waiting), spans=replace(self._courier.count)
        )

    def _run(self) -> None:
        while True:
            last = self._end.wait(self._every_s)
            try:
                while self._round(settled_ns=0 if last else SETTLED_NS):
                    pass
            except StoreError as error:  # the recorder itself says it aloud
                log.info("Traces wait for the database: %s", error)
            except Exception:
                log.exception("Traces of some operations are not exported")
            if last:
                return

    def _round(self, *, settled_ns: int) -> bool:
        """Exports some of what is over; True: there may be more."""
        now_ns = self._clock()
        names = self._waiting.due(now_ns, PAGE, settled_ns=settled_ns)
        if not names:
            return False
        reading = self._as_of_now()
        views = self._views(reading, names)
        over = [view for view in views if is_over(view, now_ns, settled_ns=settled_ns, quiet_ns=self._quiet_ns)]
        chosen = [view for view in over if self._sampling.takes(view.whole, view.status)]
        sent = [view for view in chosen if self._allowed.takes(time.monotonic())]
        self._count.over_rate += len(chosen) - len(sent)
        if not self._deliver(reading, sent):
            return False
        running = {view.whole.request_id for view in views} - {view.whole.request_id for view in over}
        self._waiting.not_yet(running, now_ns)
        self._waiting.done([name for name in names if name not in running], now_ns)
        self._remember(sent)
        return len(names) == PAGE

    def _as_of_now(self) -> Reading:
        """Thousands of processes take a while to read: that is no more than a twentieth of the time."""
        now_s = time.monotonic()
        if self._reading is None or now_s >= self._read_again_s:
            self._reading = Reading(self._reader, adopts=self._adopts)
            took_s = time.monotonic() - now_s
            self._read_again_s = now_s + _READ_SELDOM * took_s
        return self._reading

    def _views(self, reading: Reading, names: Sequence[str]) -> list[OperationView]:
        wanted = set(names)
        parts = self._reader.operations(OperationFilter(related=names))
        return reading.views(part for part in parts if part.request_id in wanted)

    def _deliver(self, reading: Reading, views: Sequence[OperationView]) -> bool:
        """False: it is not known to be taken, and may be sent again."""
        whole = reading.whole(views)
        for request in self._gathering.requests(whole, reading.resources, after=self._exported):
            answer = self._courier.deliver(request.body, request.spans)
            if answer.verdict is Verdict.LATER:
                return False
        self._count.operations += len(views)
        return True

    def _remember(self, views: Sequence[OperationView]) -> None:
        for view in views:
            self._exported[view.whole.request_id] = view.whole.last_ns
            self._exported.move_to_end(view.whole.request_id)
        while len(self._exported) > _REMEMBERED:
            self._exported.popitem(last=False)
