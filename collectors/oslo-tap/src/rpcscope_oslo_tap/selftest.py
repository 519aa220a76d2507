"""Are oslo.messaging's private parts where the hooks expect them? Read in 14.0 to 18.3."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

_DRIVER = {
    "send": ("target", "ctxt", "message", "wait_for_reply", "timeout"),
    "send_notification": ("target", "ctxt", "message", "version"),
    "listen": ("target", "batch_size", "batch_timeout"),
    "cleanup": (),
}
_AMQP_DRIVER = {
    **_DRIVER,
    "_send": ("target", "ctxt", "message", "wait_for_reply"),
    "_get_connection": ("purpose", "retry"),
    "_get_reply_q": (),
}
_CONNECTION = {"_publish": ("exchange", "msg", "routing_key", "timeout", "transport_options")}
_INCOMING = {
    "__init__": ("listener", "ctxt", "message", "unique_id", "msg_id"),
    "acknowledge": (),
    "reply": ("reply", "failure"),
    "heartbeat": (),
}
_WAITERS = {"put": ("msg_id", "message_data")}


def moved_in_amqp(driver: Any, impl: Any, amqpdriver: Any) -> str:
    """The first part of the AMQP driver that is not where it was; "" when all are."""
    listener = getattr(amqpdriver, "RpcAMQPListener", None)
    waiter = getattr(amqpdriver, "ReplyWaiters", None)
    return (
        _moved(driver, _AMQP_DRIVER)
        or _moved(getattr(impl, "Connection", None), _CONNECTION)
        or _moved(getattr(amqpdriver, "AMQPIncomingMessage", None), _INCOMING)
        or _moved(waiter, _WAITERS)
        or ("" if hasattr(listener, "message_cls") else "RpcAMQPListener.message_cls")
    )


def moved_in_fake(driver: Any) -> str:
    """The same of the driver that keeps messages in memory."""
    return _moved(driver, _DRIVER)


def _moved(owner: Any, wanted: Mapping[str, tuple[str, ...]]) -> str:
    if owner is None:
        return "a class"
    for name, parameters in wanted.items():
        found = getattr(owner, name, None)
        if not callable(found):
            return f"{owner.__name__}.{name}"
        if tuple(inspect.signature(found).parameters)[1 : 1 + len(parameters)] != parameters:
            return f"the parameters of {owner.__name__}.{name}"
    return ""
