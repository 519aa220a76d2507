"""The thread that reads the tap's queue: it owns the connection, and makes another when it is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from pika.exceptions import AMQPError

from rpcscope.errors import RpcscopeError
from rpcscope.model import Gap, GapCause
from rpcscope_collectors.binder import Binder
from rpcscope_collectors.buffer import Buffer
from rpcscope_collectors.intake import Intake
from rpcscope_collectors.tap_queue import Limits, TapQueue
from rpcscope_collectors.transport import Broker

_TURN_S = 0.1  # the reader looks this often whether it is to end
_LONGEST_PAUSE_S = 30.0
_log = logging.getLogger(__name__)


class Reader:
    """Reads events when they come and answers heartbeats however long the caller's commit takes."""

    def __init__(
        self,
        broker: Broker,
        name: str,
        limits: Limits,
        *,
        buffer: Buffer,
        intake: Intake,
        binder: Binder,
        on_return: Callable[[], None],
    ) -> None:
        """Nothing is connected yet. `on_return` is called after each lost connection, once there is another."""
        self._broker, self._name, self._limits = broker, name, limits
        self._buffer, self._intake, self._binder, self._on_return = buffer, intake, binder, on_return
        self.queue: TapQueue | None = None
        self._alive_ns = 0
        self._ended = False  # a plain flag: a signal handler may end it
        self._thread = threading.Thread(target=self._run, name="rpcscope-reader", daemon=True)

    def connect(self, *, again: bool = False) -> TapQueue:
        """A new connection with the queue, bound. Raises BrokerError, and leaves nothing open then."""
        queue = TapQueue(self._broker, self._name, self._limits)
        try:
            self._binder.attach(queue, again=again)
        except BaseException:
            queue.abandon()
            raise
        self.queue = queue
        return queue

    def consume(self, queue: TapQueue) -> None:
        """Have its events delivered. Raises BrokerError when another recorder has them."""
        self._intake.twins.reconnected()
        queue.consume(partial(self._take, queue))

    def start(self) -> None:
        """Begin to read what `connect` and `consume` have prepared."""
        self._alive_ns = time.time_ns()
        self._thread.start()

    def end(self) -> None:
        """Have it end soon; for signal handlers, too."""
        self._ended = True

    def close(self, *, delete_queue: bool) -> None:
        """End it, send the last acknowledgement, disconnect; the queue may go, too."""
        self._ended = True
        if self._thread.is_alive():
            self._thread.join()
        queue, self.queue = self.queue, None
        if queue is None:
            return
        try:
            if queue.is_alive:
                self._acknowledge(queue)
            if delete_queue and queue.connection.is_open:
                queue.delete()
        except AMQPError:
            _log.warning("The broker went away before the last acknowledgement: the next recorder gets it again.")
        finally:
            queue.drop()

    def _run(self) -> None:
        queue = self.queue
        while queue is not None and not self._ended:
            try:
                self._turn(queue)
            except Exception as error:  # whatever it is, a new connection is the remedy, and the gap is told
                _log.warning("The tap lost the broker (%s) and connects again.", error.__class__.__name__)
                queue = self._reconnect(queue)

    def _acknowledge(self, queue: TapQueue) -> None:
        tag = self._buffer.settled(queue)
        if tag:  # what is held back must not use up the prefetch
            queue.ack(max(self._intake.twins.uncut(tag), tag - self._limits.prefetch // 2))

    def _turn(self, queue: TapQueue) -> None:
        self._acknowledge(queue)
        self._binder.turn(queue)
        queue.turn(_TURN_S)
        if not queue.is_alive:
            raise AMQPError
        self._alive_ns = time.time_ns()

    def _take(self, queue: TapQueue, _: object, deliver: object, properties: object, body: bytes) -> None:
        self._intake.take(queue, deliver, properties, body)

    def _reconnect(self, old: TapQueue) -> TapQueue | None:
        from_ns, pause_s = self._alive_ns, 1.0
        old.drop()
        while not self._ended:
            self._nap(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            if len(self._buffer) > self._limits.prefetch:
                continue  # the broker gives what was read and not yet taken again: memory stays bounded
            queue = self._try_again()
            if queue is not None:
                self._intake.hand_on(Gap(from_ns=from_ns, to_ns=time.time_ns(), cause=GapCause.DISCONNECTED))
                self._on_return()
                _log.warning("The tap is connected again.")
                return queue
        return None

    def _try_again(self) -> TapQueue | None:
        queue = None
        try:
            queue = self.connect(again=True)
            self.consume(queue)
            return queue
        except Exception as error:
            _log.info("Not yet: %s", error if isinstance(error, RpcscopeError) else error.__class__.__name__)
            if queue is not None:
                queue.drop()
            return None

    def _nap(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._ended and time.monotonic() < deadline:
            time.sleep(_TURN_S)
