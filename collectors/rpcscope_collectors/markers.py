"""Numbered messages a tap sends to its own queue: a hole in the numbers proves that the queue dropped its head.

What is dropped between two of them is found by the `Lookout`.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pika
from pika.exceptions import AMQPError, ConnectionBlockedTimeout

from rpcscope.errors import RpcscopeError
from rpcscope_collectors.amqp import connect, refusal
from rpcscope_collectors.lookout import Lookout
from rpcscope_collectors.tap_queue import MARKERS_RIGHT
from rpcscope_collectors.transport import Broker
from rpcscope_collectors.worker import Worker

NUMBER, SENT, TAP, RUN = "rpcscope-marker", "sent-ns", "tap", "run"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Markers that did not come back, and with them what the queue held between the two that did."""

    from_ns: int  # when the last good marker was sent
    to_ns: int  # when the next one that came back was sent
    markers: int  # how many are missing


class MarkerWatch:
    """Watches the numbers of one run's markers come back."""

    def __init__(self) -> None:
        """Begin with a run of its own: what older runs left in the queue proves nothing about this one."""
        self.run = secrets.token_hex(4)
        self._number = 0
        self.sent_ns = 0  # when the last one that came back was sent
        self._lag_ns: int | None = None

    def see(self, headers: Mapping[str, Any], at_ns: int) -> Hole | None:
        """Take one marker; a hole when numbers before it are missing."""
        number, sent_ns = headers.get(NUMBER), headers.get(SENT)
        if headers.get(RUN) != self.run or not isinstance(number, int) or not isinstance(sent_ns, int):
            return None
        if number <= self._number:  # given again after a lost connection
            return None
        missing, since_ns = number - self._number - 1, self.sent_ns
        # int(), because pika's integers are of a type of its own that prints as 5L.
        self._number, self.sent_ns, self._lag_ns = int(number), int(sent_ns), int(at_ns - sent_ns)
        if missing and since_ns:
            return Hole(from_ns=since_ns, to_ns=self.sent_ns, markers=int(missing))
        return None

    def lag_ns(self, now_ns: int, interval_ns: int) -> int | None:
        """How far the tap is behind: the last marker's way, or the time it waits for the next. None: none came yet."""
        if self._lag_ns is None:
            return None
        return max(0, self._lag_ns, now_ns - self.sent_ns - interval_ns)


class Pulse:
    """Sends the markers of a run, from a thread and a connection of their own, and looks before each for losses.

    An alarm makes the broker stop reading from connections that publish. Were it the connection that consumes,
    the tap could not acknowledge, its queue could not drain, and the alarm could not end.
    """

    def __init__(self, broker: Broker, queue: str, lookout: Lookout, *, name: str, run: str, interval_s: float) -> None:
        """Nothing is sent yet."""
        self._broker, self._queue, self._lookout, self._interval_s = broker, queue, lookout, interval_s
        self._headers = {TAP: name, RUN: run}
        self._number = 0
        self.sent_ns = 0  # when the last one was sent that the broker has taken
        self.blocked: bool | None = None  # the broker holds us back; None before it was tried
        self._connection: Any = None
        self._channel: Any = None
        self._pause_s = interval_s
        self._worker = Worker("pulse", self._beat)

    def start(self) -> None:
        """Send the first marker here, so that a missing right is known. Raises BrokerError."""
        try:
            self._send()
        except AMQPError as error:
            self._drop()
            if getattr(error, "reply_code", 0) == 403:
                raise refusal(error, self._broker.username, MARKERS_RIGHT) from error
            _log.warning("The broker takes no markers now: gaps of the tap can not be proved until it does.")
        except BaseException:
            self._drop()
            raise
        self._worker.start(after_s=self._interval_s)

    def hurry(self) -> None:
        """Send the next marker now."""
        self._worker.poke()

    def stop(self) -> None:
        """End the thread; at most some seconds when the broker holds publishers back."""
        self._worker.stop()
        self._drop()

    def _beat(self) -> float:
        try:
            self._send()
            self._pause_s = self._interval_s
        except (AMQPError, RpcscopeError, OSError) as error:
            # An unsent number is sent again, so this leaves no hole. A lost broker is the reader's to tell.
            self._drop()
            if isinstance(error, ConnectionBlockedTimeout) and not self.blocked:
                _log.warning("An alarm of the broker holds publishers back, and with them the tap's markers.")
                self.blocked = True
            self._pause_s = min(30.0, max(1.0, self._pause_s * 2))
        return self._pause_s

    def _send(self) -> None:
        if self._channel is None:
            self._connection = connect(self._broker, "markers")
            self._lookout.attach(self._connection)
            self._channel = self._connection.channel()
            self._channel.confirm_delivery()
        self._lookout.look(self._channel)
        sent_ns = time.time_ns()
        marker = {NUMBER: self._number + 1, SENT: sent_ns, **self._headers}
        self._channel.basic_publish("", self._queue, b"", pika.BasicProperties(headers=marker), mandatory=True)
        self._number += 1
        self.sent_ns, self.blocked = sent_ns, False
        self._connection.process_data_events(0)

    def _drop(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        try:
            if connection is not None and connection.is_open:
                connection.close()
        except (AMQPError, OSError):
            _log.debug("The marker connection did not close in order.")
