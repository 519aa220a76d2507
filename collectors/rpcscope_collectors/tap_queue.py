"""The bounded queue of a tap: declared, bound, consumed; one object for each connection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from pika.exceptions import AMQPChannelError, AMQPError

from rpcscope.errors import BrokerError
from rpcscope_collectors.amqp import connect, refusal
from rpcscope_collectors.bindings import PREFIX
from rpcscope_collectors.declaring import NOT_FOUND, OTHERWISE_MADE, declare
from rpcscope_collectors.transport import Broker
from rpcscope_collectors.wording import shown

FIREHOSE = "amq.rabbitmq.trace"
DROPPED = ".dropped"
"""What the name of a tap's queue ends in: the queue beside it, which keeps the newest event that it dropped."""
MARKERS_RIGHT = r"markers need write on amq.default, such as ^(rpcscope\.tap\..*|amq\.default)$"
_LONGEST_NAME = 255  # bytes, by AMQP
_log = logging.getLogger(__name__)


def is_of_dropped(queue: str) -> bool:
    """Whether a queue is the one beside a tap's."""
    return queue.startswith(PREFIX) and queue.endswith(DROPPED)


class Binding(NamedTuple):
    """By which key the queue is bound to which exchange."""

    exchange: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the queue may cost the broker. At a limit it drops its oldest events."""

    max_length: int = 100_000
    max_bytes: int = 64 * 1024 * 1024
    expires_s: int = 600  # without a consumer it is deleted after this
    prefetch: int = 5000  # events read and not yet acknowledged; they do not count for the limits above

    def of_queue(self, name: str) -> dict[str, Any]:
        """Of the tap's queue, as queue.declare takes them."""
        return {
            **self._of_any(self.max_length),
            "x-max-length-bytes": self.max_bytes,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": name + DROPPED,
        }

    def of_dropped(self) -> dict[str, Any]:
        """Of the queue beside it. One event is kept however large: without it nobody knew that one was dropped."""
        return self._of_any(1)

    def _of_any(self, length: int) -> dict[str, Any]:
        return {
            "x-queue-type": "classic",
            "x-max-length": length,
            "x-overflow": "drop-head",
            "x-expires": self.expires_s * 1000,
        }


class TapQueue:
    """One connection with its channel, and the tap's queue on it. Not for several threads."""

    def __init__(self, broker: Broker, name: str, limits: Limits) -> None:
        """Connect and declare the queue. Raises BrokerError."""
        self.name = PREFIX + name
        if len((self.name + DROPPED).encode()) > _LONGEST_NAME:
            raise BrokerError("The name of the tap is too long for a queue: give a shorter one.")
        if name.endswith(DROPPED):
            raise BrokerError(f"The name of a tap does not end in {DROPPED}: give another one.")
        self._user, self._limits = broker.username, limits
        self._bound: set[Binding] = set()
        self._wanted: frozenset[Binding] = frozenset()
        self._binder: Any = None
        self.acked = 0  # the last delivery that was acknowledged
        self._cancelled = False
        self.connection = connect(broker, "tap")
        try:
            self.found, self.found_dropped = self._declare()
            self._channel = self.connection.channel()
        except BaseException:
            self.drop()
            raise

    @property
    def is_alive(self) -> bool:
        """The channel is open and the broker has not ended our consumer, as it does when a queue is deleted."""
        return bool(self._channel.is_open) and not self._cancelled

    @property
    def bound(self) -> frozenset[Binding]:
        """By what it is bound, as far as this connection has seen to it."""
        return frozenset(self._bound)

    @property
    def reach(self) -> int:
        """The last delivery that may be under way."""
        return self.acked + self._limits.prefetch

    def bind(
        self,
        wanted: frozenset[Binding],
        left_over: Iterable[Binding] = (),
        *,
        again: bool = False,
        keep: bool = False,
    ) -> None:
        """Bind by these, and by none of `left_over`. Raises BrokerError, after all were tried.

        An exchange that is not there is passed over. `again` binds also what is bound: somebody else may have deleted
        its exchange and made it again. A key of one queue stays bound when its queue has gone, because the queue may
        come back between two looks; a pattern that is no longer wanted goes, because it would let unwanted events
        in. With `keep` nothing goes.
        """
        if wanted == self._wanted and not left_over and not again:
            return
        self._wanted = wanted
        refused: list[BrokerError] = []
        for one in wanted if again else wanted - self._bound:
            self._try_on_binder("queue_bind", one, refused)
        patterns = () if keep else (one for one in self._bound if one.key.endswith("#"))
        for one in {*left_over, *patterns} - wanted:
            self._try_on_binder("queue_unbind", one, refused)
            self._bound.discard(one)
        if refused:
            raise refused[0]

    def unbind(self, unwanted: Iterable[Binding]) -> None:
        """Bind by none of these any more. What the broker refuses to unbind, it will not bind either."""
        for one in unwanted:
            self._try_on_binder("queue_unbind", one, [])
            self._bound.discard(one)

    def _try_on_binder(self, step: str, one: Binding, refused: list[BrokerError]) -> None:
        """Bind or unbind on a channel of its own, which a refusal closes."""
        try:
            if self._binder is None or not self._binder.is_open:
                self._binder = self.connection.channel()
            getattr(self._binder, step)(self.name, one.exchange, one.key)
            self._bound.add(one)
        except AMQPChannelError as error:
            self._bound.discard(one)
            if getattr(error, "reply_code", 0) != NOT_FOUND:
                refused.append(refusal(error, self._user, _right_to_bind(error, one)))

    def consume(self, on_message: Callable[..., None]) -> None:
        """Begin to consume, alone. Raises BrokerError when another recorder does already."""
        try:
            self._channel.basic_qos(prefetch_count=self._limits.prefetch)
            self._channel.add_on_cancel_callback(self._on_cancel)
            self._tag = self._channel.basic_consume(self.name, on_message, exclusive=True)
        except AMQPChannelError as error:
            if "exclusive" in str(getattr(error, "reply_text", "")):
                raise BrokerError(
                    f"Another recorder consumes {self.name}: end it, or give this one another name."
                ) from error
            raise refusal(error, self._user, f"consuming needs read on {PREFIX}*") from error

    def turn(self, seconds: float) -> None:
        """Let pika work for at most so long; returns early when something came."""
        self.connection.process_data_events(time_limit=seconds)

    def wake(self) -> None:
        """End a `turn` early; the one method for other threads."""
        try:
            self.connection.add_callback_threadsafe(lambda: None)
        except AMQPError:
            _log.debug("The connection is gone; the reader knows.")

    def ack(self, tag: int) -> None:
        """Acknowledge everything up to this delivery with one frame."""
        if tag > self.acked:
            self.acked = tag  # first: the broker may give more as soon as it knows
            self._channel.basic_ack(tag, multiple=True)

    def forget_dropped(self) -> None:
        """What was dropped up to now is nobody's concern."""
        self.connection.channel().queue_purge(self.name + DROPPED)

    def delete(self) -> None:
        """Unbind and delete the queue, with whatever it still holds, and the one beside it."""
        channel = self.connection.channel()  # a refusal may have closed the other
        channel.queue_delete(self.name)
        channel.queue_delete(self.name + DROPPED)

    def abandon(self) -> None:
        """Close the connection; a queue that was made by it goes too: nobody is owed anything in it."""
        try:
            if self.found is None and self.connection.is_open:
                self.delete()
        except (AMQPError, OSError):
            _log.debug("The new queue stays until it expires.")
        self.drop()

    def drop(self) -> None:
        """Close the connection, in order if that is still possible."""
        try:
            if self.connection.is_open:
                self.connection.close()
        except (AMQPError, OSError):
            _log.debug("The tap's connection did not close in order.")

    def _declare(self) -> tuple[int | None, int | None]:
        """Messages that waited in the queue, and in the one beside it; None of a queue that is new."""
        beside = self.name + DROPPED
        dropped = self._declare_one(beside, self._limits.of_dropped(), f"making its queue needs configure on {PREFIX}*")
        try:
            found = self._declare_one(self.name, self._limits.of_queue(self.name), f"consuming needs read on {PREFIX}*")
        except BrokerError:
            if dropped is None:
                self.connection.channel().queue_delete(beside)
            raise
        return found, dropped

    def _declare_one(self, name: str, arguments: dict[str, Any], needs: str) -> int | None:
        try:
            return declare(self.connection, name, arguments)
        except AMQPChannelError as error:
            if getattr(error, "reply_code", 0) == OTHERWISE_MADE:
                raise BrokerError(
                    f"{self.name} exists with other limits: use the limits it was made with, or another name, or wait "
                    "until it has expired."
                ) from error
            on_exchange = "access to exchange" in str(getattr(error, "reply_text", ""))
            raise refusal(error, self._user, MARKERS_RIGHT if on_exchange else needs) from error

    def _on_cancel(self, _: object) -> None:
        self._cancelled = True


def _right_to_bind(error: Exception, one: Binding) -> str:
    """Which of the two rights is missing; the broker names what it does not let us at."""
    if "access to exchange" in str(getattr(error, "reply_text", "")):
        return f"binding needs read on {shown(one.exchange)}"
    return f"binding needs write on {PREFIX}*"
