"""The tap: what its view binds it to, the firehose unless told otherwise, as Observations.

    broker -> rpcscope.tap.<name> -> reader thread -> buffer -> batches() -> the caller commits -> ack()

The reader owns the connection: it stamps events when they come and answers heartbeats however long the caller's
commit takes. The prefetch bounds what it may read ahead.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Self

from pika.exceptions import AMQPError

from rpcscope.errors import BrokerError, RpcscopeError
from rpcscope.model import Gap, GapCause, Observation, Sighting
from rpcscope_collectors.as_traced import as_traced
from rpcscope_collectors.bindings import Mode
from rpcscope_collectors.expiry import Expiry, unwatched
from rpcscope_collectors.management import Management
from rpcscope_collectors.markers import MarkerWatch, Pulse
from rpcscope_collectors.poller import Poller
from rpcscope_collectors.tap_queue import FIREHOSE, Binding, Limits, TapQueue
from rpcscope_collectors.tracing import Tracing
from rpcscope_collectors.transport import Broker
from rpcscope_collectors.views import Traced, View

_TURN_S = 0.1  # the reader looks this often whether it is to end
_NAP_S = 0.02  # to be woken for each event would cost more than the event
_LONGEST_PAUSE_S = 30.0
_DRAIN_S = 30.0
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
        prefetch: int = 5000,
        max_length: int = 200_000,
        max_bytes: int = 256 * 1024 * 1024,
        expires_s: int = 600,
        managements: Sequence[Management] = (),
        tracing: Tracing | None = None,
        marker_interval_s: float = 1.0,
        topology_interval_s: float = 15.0,
        resume_ns: int = 0,
    ) -> None:
        """Nothing is connected yet.

        `view` is what the tap binds to; without one, the firehose in this `mode`.
        The queue holds at most `max_length` events and `max_bytes`, and is deleted `expires_s` after its last
        consumer went; `prefetch` events are read ahead of `ack`. `managements` give topology, names of queues and
        counters; without them the tap works, knows less, and says None. `tracing` is begun by `open`, renewed
        while recording and ended by `close`. `resume_ns` is the last time an earlier recording knows of: when its
        queue is gone or full, the time since then is a gap.
        """
        self._broker, self._name = broker, name
        self._view = view or Traced(mode)
        self._limits = Limits(prefetch=prefetch, max_length=max_length, max_bytes=max_bytes, expires_s=expires_s)
        self._managements, self._tracing = tuple(managements), tracing
        self._interval_ns = int(marker_interval_s * 1e9)
        self._resume_ns = resume_ns
        self._watch = MarkerWatch()
        self._buffer: deque[tuple[TapQueue | None, int, Sighting]] = deque()
        self._queue: TapQueue | None = None
        self._handed: tuple[TapQueue, int] | None = None  # the last delivery the caller has
        self._settled: tuple[TapQueue, int] | None = None  # the last delivery the caller has stored
        self._expiry = Expiry()
        self._told: set[str] = set()  # refusals that were said
        self._bound_ns, self._rebind_ns = 0, int(topology_interval_s * 1e9)
        self.drained = False  # `batches` ended with nothing of before `stop` left in the queue
        self._seq = self._last_ns = self._published = self._published_at_marker = 0
        self._alive_ns = self._marked_ns = 0
        # Plain flags: a signal handler sets one, and an Event's lock may be held where the signal came.
        self._stopping = self._closing = False
        self._reader = threading.Thread(target=self._read, name="rpcscope-reader", daemon=True)
        self._poller = Poller(
            self._managements,
            broker.vhost,
            tracing,
            interval_s=topology_interval_s,
            hand_on=self._hand_on,
            look=self._view.look,
        )
        self._pulse: Pulse | None = None
        self._pulse_s = marker_interval_s

    def open(self) -> None:
        """Connect, make and bind the queue, begin tracing, consume.

        Raises BrokerError with what is missing, and leaves nothing open then.
        """
        try:
            self._open()
        except BaseException:
            self._close_after_failure()
            raise

    def batches(self, max_events: int = 2000, max_wait_s: float = 0.5) -> Iterator[list[Sighting]]:
        """Lists of what came, in order; an empty one when nothing came for `max_wait_s`.

        Ends after `stop`, once everything that the broker had traced by then is handed out; see `drained`.
        """
        while not self._stopping:
            yield self._wait(max_events, max_wait_s, lambda: self._stopping)
        stopped_ns, deadline = time.time_ns(), time.monotonic() + _DRAIN_S
        if self._pulse is not None:
            self._pulse.hurry()

        def is_back() -> bool:
            return self._marked_ns >= stopped_ns

        while not (is_back() or self._closing) and time.monotonic() < deadline:
            yield self._wait(max_events, min(max_wait_s, _TURN_S), is_back)
        self.drained = is_back()
        if (late := self._expiry.rest()) is not None:
            self._hand_on(late)
        left = len(self._buffer)  # what comes from now on is left to the broker, or this would not end
        while left > 0:
            yield self._take(min(left, max_events))
            left -= max_events

    def ack(self) -> None:
        """Everything handed out so far is stored: let the broker forget it."""
        self._settled = self._handed
        if self._settled is not None:
            self._settled[0].wake()

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
        self._poller.stop()
        try:
            if self._tracing is not None:
                self._tracing.end()
        finally:
            self._disconnect(delete_queue)

    def __enter__(self) -> Self:
        """Open it."""
        self.open()
        return self

    def __exit__(self, *exc: object) -> None:
        """Close it; the queue stays."""
        self.close()

    @property
    def lag_s(self) -> float | None:
        """How late events are read, by the last marker; None before the first."""
        lag = self._watch.lag_ns(time.time_ns(), self._interval_ns)
        return None if lag is None else lag / 1e9

    @property
    def has_new_queue(self) -> bool:
        """Its queue is its own: no earlier recorder left it, so nothing in it is owed to anybody."""
        return self._queue is not None and self._queue.found is None

    @property
    def backlog(self) -> int:
        """Sightings read and not yet handed out."""
        return len(self._buffer)

    # ------------------------------------------------------------ the caller's thread

    def _open(self) -> None:
        self._view.begin(self._managements, self._broker.vhost)
        self._queue = self._connect()
        if not (self._queue.bound or self._managements):
            raise BrokerError("The vhost has none of the exchanges: check their names, or start the services first.")
        self._note_resumption(self._queue)
        self._queue.consume(self._on_message)  # first, for a second recorder of our name to be refused
        if self._tracing is not None:
            self._tracing.begin()
        self._pulse = Pulse(
            self._broker, self._queue.name, name=self._name, run=self._watch.run, interval_s=self._pulse_s
        )
        self._pulse.start()
        self._alive_ns = time.time_ns()
        self._reader.start()
        if self._managements or self._tracing is not None:
            self._poller.start()

    def _wait(self, most: int, seconds: float, enough: Callable[[], bool]) -> list[Sighting]:
        deadline = time.monotonic() + seconds
        while len(self._buffer) < most and not enough() and time.monotonic() < deadline:
            time.sleep(_NAP_S)
        return self._take(most)

    def _take(self, most: int) -> list[Sighting]:
        batch: list[Sighting] = []
        while self._buffer and len(batch) < most:
            queue, tag, sighting = self._buffer.popleft()
            if queue is not None:
                self._handed = (queue, tag)
            batch.append(sighting)
        return batch

    def _disconnect(self, delete_queue: bool) -> None:
        if self._reader.is_alive():
            self._reader.join()
        if self._pulse is not None:
            self._pulse.stop()
        queue, self._queue = self._queue, None
        if queue is None:
            return
        try:
            if queue.is_alive:
                self._settle(queue)
            if delete_queue and queue.connection.is_open:
                queue.delete()
        except AMQPError:
            _log.warning("The broker went away before the last acknowledgement: the next recorder gets it again.")
        finally:
            queue.drop()

    def _close_after_failure(self) -> None:
        try:
            self.close(delete_queue=self.has_new_queue)
        except RpcscopeError as error:
            _log.warning("%s", error)

    # ------------------------------------------------------------ the reader's thread

    def _read(self) -> None:
        queue = self._queue
        while queue is not None and not self._closing:
            try:
                self._turn(queue)
            except Exception as error:  # whatever it is, a new connection is the remedy, and the gap is told
                _log.warning("The tap lost the broker (%s) and connects again.", error.__class__.__name__)
                queue = self._reconnect(queue)

    def _turn(self, queue: TapQueue) -> None:
        self._settle(queue)
        self._bind(queue)
        queue.turn(_TURN_S)
        if not queue.is_alive:
            raise AMQPError
        self._alive_ns = time.time_ns()

    def _settle(self, queue: TapQueue) -> None:
        """Tags belong to the connection they came by: those of an older one are never sent."""
        settled = self._settled
        if settled is not None and settled[0] is queue:
            queue.ack(settled[1])

    def _on_message(self, _: Any, deliver: Any, properties: Any, body: bytes) -> None:
        at_ns = self._last_ns = max(time.time_ns(), self._last_ns)
        self._seq += 1
        exchange, routing_key, headers = as_traced(deliver, properties, self._broker.vhost)
        seen = Observation(
            at_ns=at_ns,
            exchange=exchange,
            routing_key=routing_key,
            headers=headers,
            body=body,
            size=len(body),
            redelivered=deliver.redelivered,
            seq=self._seq,
        )
        if not exchange:
            self._on_marker(headers, at_ns)
        else:
            self._published += routing_key.startswith("publish.")
            if deliver.exchange != FIREHOSE:
                self._expiry.live(properties.expiration)
        self._buffer.append((self._queue, deliver.delivery_tag, seen))
        self._marked_ns = self._watch.sent_ns  # last, for whoever sees it to find all before it in the buffer

    def _on_marker(self, headers: dict[str, Any], at_ns: int) -> None:
        known_ns = self._watch.sent_ns
        hole = self._watch.see(headers, at_ns)
        if self._watch.sent_ns > known_ns and (late := self._expiry.wait(self._watch.sent_ns, at_ns)) is not None:
            self._hand_on(late)
        if hole is not None:
            seen = self._published - self._published_at_marker
            published = self._poller.published.between(hole.from_ns, hole.to_ns)
            # Our own markers were published too. Nothing left over means that the counter is too old to tell.
            missed = None if published is None or not self._view.is_whole else published - seen - hole.markers
            estimate = missed if missed is not None and missed > 0 else None
            note = f"{hole.markers} markers missing"
            self._hand_on(
                Gap(from_ns=hole.from_ns, to_ns=hole.to_ns, cause=GapCause.DROPPED, estimate=estimate, note=note)
            )
        self._published_at_marker = self._published

    def _reconnect(self, old: TapQueue) -> TapQueue | None:
        from_ns, pause_s = self._alive_ns, 1.0
        old.drop()
        while not self._closing:
            self._nap(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            if len(self._buffer) > self._limits.prefetch:
                continue  # the broker gives what was read and not yet taken again: memory stays bounded
            queue = self._try_again()
            if queue is not None:
                self._hand_on(Gap(from_ns=from_ns, to_ns=time.time_ns(), cause=GapCause.DISCONNECTED))
                self._poller.poke()
                _log.warning("The tap is connected again.")
                return queue
        return None

    def _try_again(self) -> TapQueue | None:
        queue = None
        try:
            queue = self._queue = self._connect(again=True)
            queue.consume(self._on_message)
            return queue
        except Exception as error:
            _log.info("Not yet: %s", error if isinstance(error, RpcscopeError) else error.__class__.__name__)
            if queue is not None:
                queue.drop()
            return None

    def _nap(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._closing and time.monotonic() < deadline:
            time.sleep(_TURN_S)

    # ------------------------------------------------------------ both

    def _connect(self, *, again: bool = False) -> TapQueue:
        queue = TapQueue(self._broker, self._name, self._limits)
        try:
            left_over = self._left_over(queue.name) if queue.found is not None else frozenset()
            if again and self._view.may_vanish:
                self._bind_most(queue, left_over)
            else:
                queue.bind(self._view.wanted, left_over)
            self._bound_ns = time.time_ns()
        except BaseException:
            queue.abandon()
            raise
        return queue

    def _bind(self, queue: TapQueue) -> None:
        """What may vanish is bound again now and then; until it was, what came to a new exchange was missed."""
        now = time.time_ns()
        again = self._view.may_vanish and now - self._bound_ns >= self._rebind_ns
        if not self._view.may_vanish:
            queue.bind(self._view.wanted)
            return
        before = queue.bound
        self._bind_most(queue, again=again)
        fresh = queue.bound - before
        if fresh:
            note = f"{len(fresh)} new exchange{'s' if len(fresh) > 1 else ''}"
            self._hand_on(Gap(from_ns=self._bound_ns, to_ns=time.time_ns(), cause=GapCause.NOT_TRACED, note=note))
        if fresh or again:
            self._bound_ns = now

    def _bind_most(self, queue: TapQueue, left_over: Iterable[Binding] = (), *, again: bool = False) -> None:
        """One exchange that the tap may not read must not end what it sees of the others."""
        try:
            queue.bind(self._view.wanted, left_over, again=again)
        except BrokerError as error:
            if str(error) not in self._told:
                self._told.add(str(error))
                _log.warning("%s Until then the tap does not see it.", error)

    def _left_over(self, name: str) -> frozenset[Binding]:
        """What an earlier recorder in another mode may have bound the queue to."""
        bound = self._view.might_have()
        for management in self._managements:
            try:
                bound |= {Binding(*one) for one in management.bindings(self._broker.vhost, name)}
                break
            except RpcscopeError:
                continue
        return bound - self._view.wanted

    def _note_resumption(self, queue: TapQueue) -> None:
        since, now = self._resume_ns, time.time_ns()
        if not since:
            return
        if queue.found is None:
            self._hand_on(Gap(from_ns=since, to_ns=now, cause=GapCause.DISCONNECTED, note="no recorder ran"))
        elif queue.found >= self._limits.max_length:
            self._hand_on(Gap(from_ns=since, to_ns=now, cause=GapCause.DROPPED, note="no recorder ran"))
        elif self._view.may_vanish and (gap := unwatched(since, now)) is not None:
            self._hand_on(gap)

    def _hand_on(self, sighting: Sighting) -> None:
        self._buffer.append((None, 0, sighting))
