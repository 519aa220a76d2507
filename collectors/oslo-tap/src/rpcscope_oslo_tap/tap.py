"""What the hooks call. Nothing here raises, waits or keeps what it was shown.

One for each recorder that a process tells; transports share it.
"""

from __future__ import annotations

import os
import time
import uuid
from contextvars import ContextVar
from typing import Any

from rpcscope_oslo_tap import told as words
from rpcscope_oslo_tap.count import Count
from rpcscope_oslo_tap.failures import class_of, outcome_of
from rpcscope_oslo_tap.reading import FANOUT_SUFFIX, PLACE, address, body_size, came_by, describe, learn_ids, trace
from rpcscope_oslo_tap.sender import Sender
from rpcscope_oslo_tap.settings import Where
from rpcscope_oslo_tap.told import Told

CURRENT: ContextVar[Told | None] = ContextVar("rpcscope_tap", default=None)
"""What this thread or greenthread publishes for. A thread-local would be shared by greenthreads that were made late."""

MAX_OPEN = 20_000
MAX_EXCHANGES, MAX_NAME = 500, 100  # of a head, which has to fit into a datagram
_now = time.time_ns


class Tap:
    """Takes notes of what a process does, and hands them to the process' sender."""

    def __init__(self, where: Where, host: str) -> None:
        """Nothing is sent and no thread runs before there is something to tell."""
        self._where, self._host = where, host
        self._pid = 0
        self._sender = Sender(where, host, self)
        self._fresh()

    def _fresh(self) -> None:
        """A process that was forked tells nothing of its parent's."""
        self._sender.close()
        self.open: dict[int, Told] = {}  # what goes on now, by identity: told early when it takes long
        self._calls: dict[str, Told] = {}  # callers that wait, by msg_id
        self._published: dict[str, Count] = {}  # messages by exchange
        self.trouble = Count()  # hooks that failed
        self._sender = Sender(self._where, self._host, self)
        self._pid = os.getpid()

    # ---------------------------------------------------------------- the client's side

    def sending(self, target: Any, message: Any, wait: Any, timeout: Any, *, notify: bool = False) -> Told | None:
        """A message is about to be sent."""
        try:
            if self._pid != os.getpid():
                self._fresh()
            kind = words.REQUEST if wait else words.FANOUT if target.fanout else words.CAST
            told = Told(words.CLIENT, words.NOTIFICATION if notify else kind)
            told.message = message
            told.topic, told.server, told.exchange = target.topic, target.server or "", target.exchange or ""
            if wait and timeout is not None:
                told.timeout_ms = int(timeout * 1000)
            describe(told, message)
            if len(self.open) < MAX_OPEN:
                self.open[id(told)] = told
            told.sent_ns = _now()
            return told
        except Exception:
            self.trouble.add()
            return None

    def sent(self, told: Told | None, error: BaseException | None = None) -> None:
        """The sending is over, well or not; of a call: it has its answer or none."""
        if told is None:
            return
        try:
            if told.kind == words.REQUEST:
                told.taken_ns = _now()
                told.outcome = outcome_of(error, published=bool(told.confirmed_ns))
            if error is not None:
                told.failure = class_of(error)
            learn_ids(told)
            self._calls.pop(told.msg_id, None)
            told.message = told.channel = None
            self.open.pop(id(told), None)
            self._sender.put(told)
        except Exception:
            self.trouble.add()

    # ---------------------------------------------------------------- either side, on the connection

    def attempt(self, told: Told | None, channel: Any) -> None:
        """The message goes to the broker, perhaps not for the first time."""
        if told is None:
            return
        try:
            if told.attempts:
                told.retries = told.attempts
                told.reconnects += told.channel is not channel
            told.attempts += 1
            told.channel = channel
            if told.side == words.CLIENT and told.kind == words.REQUEST and not told.msg_id:
                learn_ids(told)
                self._calls[told.msg_id] = told
        except Exception:
            self.trouble.add()

    def confirmed(self, told: Told | None, exchange: str, routing_key: Any, size: int | None) -> None:
        """The broker has it. Without `told`: a heartbeat of a call monitor."""
        try:
            if self._pid != os.getpid():
                self._fresh()
            count = self._published.get(exchange) or self._published.setdefault(exchange, Count())
            count.add()
            if told is None:
                return
            told.channel = None
            if told.side == words.SERVER:
                told.replied_ns, told.reply_bytes = _now(), size
                return
            told.confirmed_ns, told.request_bytes, told.exchange = _now(), size, exchange
            address(told, routing_key or "")
            learn_ids(told)
        except Exception:
            self.trouble.add()

    def returned(self, exchange: str) -> None:
        """The broker had it, and gave it back because no queue took it."""
        self.confirmed(None, exchange, "", None)

    def in_memory(self, told: Told | None, ctxt: Any, message: Any, exchange: str) -> None:
        """The fake driver has no ids and no broker: ids are given, and the message is as good as sent."""
        if told is None:
            return
        try:
            message["_unique_id"] = uuid.uuid4().hex
            if told.kind == words.REQUEST:
                message["_msg_id"] = uuid.uuid4().hex
            key = f"{told.topic}.{told.server}" if told.server else told.topic
            fanout = told.kind == words.FANOUT
            self.attempt(told, None)
            exchange = told.topic + FANOUT_SUFFIX if fanout else exchange
            message[PLACE] = [exchange, "" if fanout else key]
            self.confirmed(told, exchange, key, None)
            told.request_id = ctxt.get("request_id") or ""
        except Exception:
            self.trouble.add()

    def waited(self, told: Told | None, since: int) -> None:
        """For a connection of the pool, since that reading of `time.perf_counter_ns`."""
        if told is not None:
            told.pool_wait_ns = (told.pool_wait_ns or 0) + time.perf_counter_ns() - since

    def answered(self, msg_id: Any, message: Any) -> None:
        """A reply or heartbeat came for a caller."""
        try:
            told = self._calls.get(msg_id)
            if told is not None:
                told.reply_bytes = body_size(message)
        except Exception:
            self.trouble.add()

    # ---------------------------------------------------------------- the server's side

    def received(self, ctxt: Any, message: Any, unique_id: Any, msg_id: Any) -> Told | None:
        """A message came out of the consumer's callback."""
        try:
            if self._pid != os.getpid():
                self._fresh()
            told = Told(words.SERVER, words.REQUEST if msg_id else words.CAST)
            told.received_ns = _now()
            told.unique_id, told.msg_id = unique_id or "", msg_id or ""
            told.request_id = ctxt.get("request_id") or ""
            told.global_request_id = ctxt.get("global_request_id") or ""
            trace(told, ctxt.get("traceparent"), "parent_span_id")
            describe(told, message)
            came_by(told, message)
            if len(self.open) < MAX_OPEN:
                self.open[id(told)] = told
            return told
        except Exception:
            self.trouble.add()
            return None

    def started(self, told: Told | None) -> None:
        """A thread of the pool begins to dispatch it."""
        if told is not None:
            told.started_ns = _now()

    def ended(self, told: Told | None, failure: Any) -> None:
        """Dispatch returned, or raised what `sys.exc_info` says."""
        if told is None:
            return
        try:
            told.ended_ns = _now()
            if told.kind == words.REQUEST:
                told.outcome = "FAILED" if failure else "OK"
            if failure:
                told.failure = failure[0].__name__
        except Exception:
            self.trouble.add()

    def finished(self, told: Told | None) -> None:
        """Its reply is sent, or it needs none."""
        if told is None:
            return
        try:
            told.channel = None
            self.open.pop(id(told), None)
            self._sender.put(told)
        except Exception:
            self.trouble.add()

    def sent_so_far(self) -> dict[str, int]:
        """Messages that this process published, by exchange. For the sender alone."""
        known = list(self._published.items())[:MAX_EXCHANGES]
        return {exchange[:MAX_NAME]: count.value() for exchange, count in known}

    def flush(self) -> None:
        """Hand over what is left, as far as that needs no waiting: the service closes a transport."""
        if self._pid == os.getpid():
            self._sender.flush()
