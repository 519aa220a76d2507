"""Hooks in the driver that keeps messages in the memory of one process. It has no ids, so we give them."""

from __future__ import annotations

from typing import Any

from rpcscope_oslo_tap.tap import Tap


def tapped_fake(real: Any, tap: Tap) -> Any:
    """A subclass of the real driver class that tells `tap`."""

    class TappedFake(real):  # type: ignore[misc]
        """The real driver, with notes taken."""

        def send(
            self, target: Any, ctxt: Any, message: Any, wait_for_reply: Any = None, timeout: Any = None,
            *args: Any, **kwargs: Any,
        ) -> Any:  # fmt: skip
            told = tap.sending(target, message, wait_for_reply, timeout)
            self._hand_over(told, target, ctxt, message)
            try:
                result = super().send(target, ctxt, message, wait_for_reply, timeout, *args, **kwargs)
            except BaseException as error:
                tap.sent(told, error)
                raise
            tap.sent(told)
            return result

        def send_notification(self, target: Any, ctxt: Any, message: Any, *args: Any, **kwargs: Any) -> Any:
            told = tap.sending(target, message, None, None, notify=True)
            self._hand_over(told, target, ctxt, message)
            result = super().send_notification(target, ctxt, message, *args, **kwargs)
            tap.sent(told)
            return result

        def _hand_over(self, told: Any, target: Any, ctxt: Any, message: Any) -> None:
            """The server gets this very dictionary, and reads of it only what it knows."""
            exchange = target.exchange or self._default_exchange or ""
            tap.in_memory(told, ctxt, message, exchange)

        def listen(self, *args: Any, **kwargs: Any) -> Any:
            adapter = super().listen(*args, **kwargs)
            listener = getattr(adapter, "_poll_style_listener", None)
            if listener is not None:
                _watch(listener, tap)
            return adapter

        def cleanup(self) -> Any:
            result = super().cleanup()
            tap.flush()
            return result

    return TappedFake


def _watch(listener: Any, tap: Tap) -> None:
    real = listener.poll

    def poll(*args: Any, **kwargs: Any) -> Any:
        incoming = real(*args, **kwargs)
        for message in incoming:
            _note(message, tap)
        return incoming

    listener.poll = poll


def _note(message: Any, tap: Tap) -> None:
    body = message.message
    told = tap.received(message.ctxt, body, body.get("_unique_id"), body.get("_msg_id"))
    acknowledge, reply = message.acknowledge, message.reply

    def noted_acknowledge() -> Any:
        tap.started(told)
        return acknowledge()

    def noted_reply(result: Any = None, failure: Any = None) -> Any:
        tap.ended(told, failure)
        try:
            return reply(result, failure)
        finally:
            tap.finished(told)

    message.acknowledge, message.reply = noted_acknowledge, noted_reply
