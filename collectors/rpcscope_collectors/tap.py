"""The tap: what its view binds it to, the firehose unless told otherwise, as Observations.

    broker -> rpcscope.tap.<name> -> reader thread -> buffer -> batches() -> the caller commits -> ack()

The reader owns the connection: it stamps events when they come and answers heartbeats however long the caller's
commit takes. The prefetch bounds what it may read ahead.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from rpcscope.errors import BrokerError, RpcscopeError
from rpcscope.model import Gap, GapCause, LiveSighting
from rpcscope_collectors.binder import Binder
from rpcscope_collectors.bindings import PREFIX, Mode
from rpcscope_collectors.buffer import Buffer
from rpcscope_collectors.company import Company
from rpcscope_collectors.intake import Intake
from rpcscope_collectors.lookout import Lookout
from rpcscope_collectors.losses import Place
from rpcscope_collectors.management import Management
from rpcscope_collectors.markers import Pulse
from rpcscope_collectors.poller import Poller
from rpcscope_collectors.reader import Reader
from rpcscope_collectors.tap_queue import Limits, TapQueue
from rpcscope_collectors.tracing import Tracing
from rpcscope_collectors.transport import Broker
from rpcscope_collectors.views import Traced, View

_LOOK_S = 0.1  # while the last marker is on its way
_DRAIN_S = 30.0
_NAMES_S = 2.0  # for a last look at who is connected
_NO_RECORDER = "no recorder ran"
_log = logging.getLogger(__name__)


class Tap:
    """One tap on one vhost. `open` it, take `batches`, `ack` each when it is stored, `close` it.

    Events come at least once: what was not acknowledged comes again, with `redelivered` set, to the next
    connection or the next recorder of the same name.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        mode: Mode = "control",
        view: View | None = None,
        name: str = "default",
        beside: bool = False,
        prefetch: int = 5000,
        max_length: int = 100_000,
        max_bytes: int = 64 * 1024 * 1024,
        expires_s: int = 600,
        managements: Sequence[Management] = (),
        tracing: Tracing | None = None,
        state_dir: Path | str | None = None,
        marker_interval_s: float = 1.0,
        topology_interval_s: float = 15.0,
        resume_ns: int = 0,
    ) -> None:
        """Nothing is connected yet.

        `view` is what the tap binds to; without one, the firehose in this `mode`. With `beside` it opens even where
        another tap reads the same vhost; others are known by `managements`, and by notes in `state_dir`.
        The queue holds at most `max_length` events and `max_bytes`, and is deleted `expires_s` after its last
        consumer went; `prefetch` events are read ahead of `ack`. `managements` give topology, names of queues and
        counters; without them the tap works, knows less, and says None. `tracing` is begun by `open` where the view
        needs it, renewed between its `begin` and `end`, and ended by `close`. `resume_ns` is the last time an earlier
        recording knows of: when its queue is gone or dropped anything, the time since then is a gap.
        """
        self._broker, self._managements, self._tracing = broker, tuple(managements), tracing
        self._company, self._beside = Company(broker, PREFIX + name, self._managements, state_dir), beside
        self._limits = Limits(prefetch=prefetch, max_length=max_length, max_bytes=max_bytes, expires_s=expires_s)
        self._interval_ns, self._resume_ns = int(marker_interval_s * 1e9), resume_ns
        self.drained = False  # `batches` ended with nothing of before `stop` left in the queue
        # Plain flags: a signal handler sets one, and an Event's lock may be held where the signal came.
        self._stopping = self._closing = False
        self._buffer = Buffer()
        self._intake = Intake(broker.vhost, self._buffer, self._published)
        queue, watch = PREFIX + name, self._intake.watch
        lookout = Lookout(
            queue,
            self._limits,
            self._intake.losses,
            read_ns=lambda: watch.sent_ns,
            reach=self._reach,
            on_found=lambda: self._poller.hasten(),
        )
        self._pulse = Pulse(broker, queue, lookout, name=name, run=watch.run, interval_s=marker_interval_s)
        self._binder = Binder(
            view or Traced(mode),
            self._intake,
            self._pulse,
            vhost=broker.vhost,
            managements=self._managements,
            rebind_s=topology_interval_s,
        )
        self._poller = Poller(
            self._managements,
            broker.vhost,
            tracing,
            interval_s=topology_interval_s,
            hand_on=self._intake.hand_on,
            look=self._look,
        )
        self._reader = Reader(
            broker,
            name,
            self._limits,
            buffer=self._buffer,
            intake=self._intake,
            binder=self._binder,
            on_return=self._poller.poke,
        )

    def open(self) -> None:
        """Connect, make and bind the queue, begin tracing, consume.

        Raises BrokerError with what is missing, and leaves nothing open then.
        """
        try:
            self._open()
        except BaseException:
            self._close_after_failure()
            raise

    def change(self, view: View, why: str = "") -> None:
        """From the reader's next turn on be bound to another view; for any thread, while the tap is open.

        No publish that both views show is missed or comes twice. A `TapPhase` with `why` is handed out where the new
        view begins: what comes behind it is seen as its mode sees. Changes are made one after the other, each within
        a second or so. Tracing is left to the caller: begun before a view that is traced, ended after one that is not.
        What the broker refuses is logged, and the tap stays as it is. Raises BrokerError or UsageError when nobody
        tells what the view has to bind.
        """
        self._binder.change(view, why)
        self._poller.poke()

    def batches(self, max_events: int = 2000, max_wait_s: float = 0.5) -> Iterator[list[LiveSighting]]:
        """Lists of what came, in order; an empty one when nothing came for `max_wait_s`.

        Ends after `stop`, once everything that the broker had traced by then is handed out, see `drained`, and who
        was connected by then; for the latter it waits no longer than two seconds.
        """
        while not self._stopping:
            yield self._buffer.wait(max_events, max_wait_s, lambda: self._stopping)
        stopped_ns, began = time.time_ns(), time.monotonic()
        self._pulse.hurry()
        self._poller.poke()

        def is_back() -> bool:
            return self._intake.marked_ns >= stopped_ns

        def is_over() -> bool:
            named = self._poller.polled_ns >= stopped_ns or time.monotonic() > began + _NAMES_S
            return self._closing or time.monotonic() > began + _DRAIN_S or (is_back() and named)

        while not is_over():
            yield self._buffer.wait(max_events, min(max_wait_s, _LOOK_S), is_over)
        self.drained = is_back()
        self._intake.tell_rest()
        left = len(self._buffer)  # what comes from now on is left to the broker, or this would not end
        while left > 0:
            yield self._buffer.take(min(left, max_events))
            left -= max_events

    def ack(self) -> None:
        """Everything handed out so far is stored: let the broker forget it."""
        self._buffer.settle()

    def stop(self) -> None:
        """Let `batches` send a last marker, hand out everything up to it, and end; within 30 seconds.

        May be called from a signal handler.
        """
        self._stopping = True

    def close(self, *, delete_queue: bool = False) -> None:
        """End tracing if it is ours, send the last acknowledgement, disconnect.

        With `delete_queue` the queue goes too, with what it holds. Without, the broker keeps what was not
        acknowledged for the next recorder of this name, until the queue expires. Raises BrokerError when
        tracing could not be ended, after everything else is closed.
        """
        self._stopping = self._closing = True
        self._reader.end()
        self._poller.stop()
        try:
            if self._tracing is not None:
                self._tracing.end()
        finally:
            self._pulse.stop()
            self._reader.close(delete_queue=delete_queue)
            self._company.leave()

    def __enter__(self) -> Self:
        """Open it."""
        self.open()
        return self

    def __exit__(self, *exc: object) -> None:
        """Close it; the queue stays."""
        self.close()

    @property
    def mode(self) -> str:
        """Of the view that the queue is bound to, or is about to be."""
        return self._binder.view.mode

    @property
    def blocked(self) -> bool | None:
        """The broker holds publishers back, as the markers' connection knows it; None before the first marker."""
        return self._pulse.blocked

    @property
    def lag_s(self) -> float | None:
        """How late events are read, by the last marker; None before the first."""
        lag = self._intake.watch.lag_ns(time.time_ns(), self._interval_ns)
        return None if lag is None else lag / 1e9

    @property
    def has_new_queue(self) -> bool:
        """Its queue is its own: no earlier recorder left it, so nothing in it is owed to anybody."""
        return self._reader.queue is not None and self._reader.queue.found is None

    @property
    def backlog(self) -> int:
        """Sightings read and not yet handed out."""
        return len(self._buffer)

    def _open(self) -> None:
        self._company.enter(beside=self._beside)
        view = self._binder.view
        view.begin(self._managements, self._broker.vhost)
        queue = self._reader.connect()
        if view.wanted and not (queue.bound or self._managements):
            raise BrokerError("The vhost has none of the exchanges: check their names, or start the services first.")
        self._binder.begin(queue)
        self._reader.consume(queue)  # first, for a second recorder of our name to be refused
        if self._tracing is not None and view.is_traced:
            self._tracing.begin()
        self._note_resumption(queue)
        self._pulse.start()
        self._reader.start()
        if self._managements or self._tracing is not None:
            self._poller.start()

    def _close_after_failure(self) -> None:
        try:
            self.close(delete_queue=self.has_new_queue)
        except RpcscopeError as error:
            _log.warning("%s", error)

    def _note_resumption(self, queue: TapQueue) -> None:
        """Tell what is known by now; what the queue dropped, the first look before a marker finds."""
        since, now = self._resume_ns, time.time_ns()
        self._intake.losses.begin(since or now)
        if not since or queue.found is None:
            queue.forget_dropped()
        if not since:
            return
        traced_ns = self._tracing.since_ns if self._tracing is not None else 0
        gap: Gap | None = None
        if queue.found is None:
            gap = Gap(from_ns=since, to_ns=now, cause=GapCause.DISCONNECTED, note=_NO_RECORDER)
        elif traced_ns > since:  # it was ended when the last recorder was dead: by `untrace`, by systemd
            gap = Gap(from_ns=since, to_ns=traced_ns, cause=GapCause.NOT_TRACED, note=_NO_RECORDER)
        elif queue.found_dropped is None:  # it is older than what keeps what it dropped
            gap = Gap(from_ns=since, to_ns=now, cause=GapCause.DROPPED, note=_NO_RECORDER)
        if gap is not None:
            self._intake.hand_on(gap)

    def _reach(self) -> Place | None:
        queue = self._reader.queue
        return None if queue is None else Place(queue, queue.reach)

    def _look(self, management: Management, vhost: str) -> None:
        self._binder.view.look(management, vhost)

    def _published(self, from_ns: int, to_ns: int) -> int | None:
        return self._poller.published.between(from_ns, to_ns)
