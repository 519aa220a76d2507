"""Hooks in the driver for RabbitMQ. Everything is done by the real classes; these take notes around it.

service -> driver.send -> _get_connection -> connection._publish -> broker
broker -> listener -> message(...) -> acknowledge -> dispatch -> reply -> connection._publish -> broker
"""

from __future__ import annotations

import time
from typing import Any

from rpcscope_oslo_tap.tap import CURRENT, Tap

_EMPTY_ENVELOPE = len('{"oslo.version": "2.0", "oslo.message": ""}')


def tapped_driver(real: Any, impl: Any, amqpdriver: Any, tap: Tap) -> Any:
    """A subclass of the real driver class that tells `tap`."""
    connection_class = tapped_connection(impl.Connection, tap)
    message_class = tapped_message(amqpdriver.AMQPIncomingMessage, tap)

    class TappedDriver(real):  # type: ignore[misc]
        """The real driver, with notes taken."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._connection_pool.connection_cls = connection_class

        def send(
            self, target: Any, ctxt: Any, message: Any, wait_for_reply: Any = None, timeout: Any = None,
            *args: Any, **kwargs: Any,
        ) -> Any:  # fmt: skip
            told = tap.sending(target, message, wait_for_reply, timeout)
            call = super().send
            return _noted(tap, told, lambda: call(target, ctxt, message, wait_for_reply, timeout, *args, **kwargs))

        def send_notification(self, target: Any, ctxt: Any, message: Any, *args: Any, **kwargs: Any) -> Any:
            told = tap.sending(target, message, None, None, notify=True)
            call = super().send_notification
            return _noted(tap, told, lambda: call(target, ctxt, message, *args, **kwargs))

        def _get_connection(self, purpose: Any = "send", *args: Any, **kwargs: Any) -> Any:
            if purpose != "send":
                return super()._get_connection(purpose, *args, **kwargs)
            since = time.perf_counter_ns()
            connection = super()._get_connection(purpose, *args, **kwargs)
            tap.waited(CURRENT.get(), since)
            return connection

        def _get_reply_q(self) -> Any:
            name = super()._get_reply_q()
            waiters = getattr(self._waiter, "waiters", None)
            if waiters is not None and "put" not in vars(waiters):
                _watch_replies(waiters, tap)
            return name

        def listen(self, *args: Any, **kwargs: Any) -> Any:
            adapter = super().listen(*args, **kwargs)
            listener = getattr(adapter, "_poll_style_listener", None)
            if listener is not None:  # nothing is consumed before it is started
                listener.message_cls = message_class
            return adapter

        def cleanup(self) -> Any:
            result = super().cleanup()
            tap.flush()
            return result

    return TappedDriver


def _noted(tap: Tap, told: Any, send: Any) -> Any:
    """What a send gives; meanwhile all that is published belongs to it."""
    token = CURRENT.set(told)
    try:
        result = send()
    except BaseException as error:
        tap.sent(told, error)
        raise
    finally:
        CURRENT.reset(token)
    tap.sent(told)
    return result


def tapped_connection(real: Any, tap: Tap) -> Any:
    """A subclass of the real connection class: all that is published goes by one method of it."""

    class TappedConnection(real):  # type: ignore[misc]
        """The real connection, with notes taken."""

        def _publish(self, exchange: Any, msg: Any, routing_key: Any = None, *args: Any, **kwargs: Any) -> Any:
            told = CURRENT.get()
            tap.attempt(told, getattr(self, "channel", None))
            try:
                result = super()._publish(exchange, msg, routing_key, *args, **kwargs)
            except Exception as error:
                if type(error).__name__ == "MessageUndeliverable":  # the broker had it, and gave it back
                    tap.returned(exchange.name)
                raise
            compressed = getattr(self, "kombu_compression", None)
            tap.confirmed(told, exchange.name, routing_key, None if compressed else body_size(msg))
            return result

    return TappedConnection


def tapped_message(real: Any, tap: Tap) -> Any:
    """A subclass of the real incoming message: made in the consumer's callback, replied to when dispatch is over."""

    class TappedMessage(real):  # type: ignore[misc]
        """The real message, with notes taken."""

        def __init__(
            self, listener: Any, ctxt: Any, message: Any, unique_id: Any, msg_id: Any, *args: Any, **kwargs: Any
        ) -> None:
            super().__init__(listener, ctxt, message, unique_id, msg_id, *args, **kwargs)
            self._rpcscope_told = tap.received(ctxt, message, unique_id, msg_id)

        def acknowledge(self) -> Any:
            tap.started(self._rpcscope_told)
            return super().acknowledge()

        def reply(self, reply: Any = None, failure: Any = None) -> Any:
            told = self._rpcscope_told
            tap.ended(told, failure)
            token = CURRENT.set(told)
            try:
                return super().reply(reply, failure)
            finally:
                CURRENT.reset(token)
                tap.finished(told)

    return TappedMessage


def _watch_replies(waiters: Any, tap: Tap) -> None:
    real = waiters.put

    def put(msg_id: Any, message_data: Any) -> Any:
        tap.answered(msg_id, message_data)
        return real(msg_id, message_data)

    waiters.put = put


def body_size(msg: Any) -> int | None:
    """Bytes of a message on the wire: a JSON string in a JSON object, so quotes and backslashes are escaped again."""
    try:
        inner: str = msg["oslo.message"]
        if not inner.isascii():
            return None
        return _EMPTY_ENVELOPE + len(inner) + inner.count('"') + inner.count("\\")
    except Exception:
        return None  # of the first format, which has no envelope
