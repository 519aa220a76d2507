"""Connections to RabbitMQ with pika, and its refusals as sentences."""

from __future__ import annotations

import logging
import os
import socket
import ssl
from typing import Any

import pika
from pika import exceptions as refusals
from pika import spec

from rpcscope.errors import BrokerError
from rpcscope_collectors.transport import Broker

_HEARTBEAT_S = 30  # each connection has a thread of its own, which answers however slow the store is
_CONNECT_S = 10
_BLOCKED_S = 5  # a memory alarm holds a publisher back for ever; after this it lets go and comes again

# pika logs each failed attempt at length; every failure is said here in one sentence.
logging.getLogger("pika").setLevel(logging.CRITICAL)


class _Properties(spec.BasicProperties):  # type: ignore[misc]
    """Properties whose headers may be anything a client of the cloud invented.

    pika raises on a timestamp after the year 9999 (milliseconds where seconds are due) and on deep nesting, and
    the connection dies. The broker would give the same message again for ever: so it is handed on without headers.
    """

    def decode(self, encoded: bytes, offset: int = 0) -> Any:
        try:
            return super().decode(encoded, offset)
        except Exception:
            self.headers: dict[str, Any] = {}
            return self


spec.props[spec.BasicProperties.INDEX] = _Properties


def connect(broker: Broker, purpose: str) -> Any:
    """A pika BlockingConnection to the first host that takes us. Raises BrokerError, UsageError for TLS files."""
    fault = BrokerError("The broker has no hosts.")
    for host, port in broker.hosts:
        try:
            return pika.BlockingConnection(_parameters(broker, host, port, purpose))
        except (refusals.AMQPError, OSError) as error:
            fault = BrokerError(_why_not_connected(error, broker, f"{host}:{port}"))
    raise fault


def refusal(error: Exception, user: str, rights: str) -> BrokerError:
    """The sentence for a channel the broker closed; `rights` is what this step needs."""
    code = getattr(error, "reply_code", 0)
    text = str(getattr(error, "reply_text", ""))
    if code == 403 and "exclusive" not in text:
        return BrokerError(f"User {user} lacks a right on the broker: {rights} (rabbitmqctl set_permissions).")
    return BrokerError(f"The broker refused the tap ({code or error.__class__.__name__}): read the broker's log.")


def _parameters(broker: Broker, host: str, port: int, purpose: str) -> Any:
    tls = pika.SSLOptions(broker.tls.context(), host) if broker.tls else None
    return pika.ConnectionParameters(
        host,
        port,
        broker.vhost,
        pika.PlainCredentials(broker.username, broker.password),
        heartbeat=_HEARTBEAT_S,
        blocked_connection_timeout=_BLOCKED_S,
        socket_timeout=_CONNECT_S,
        stack_timeout=_CONNECT_S + 5,
        client_properties={"connection_name": f"rpcscope:{os.getpid()}:{purpose}"},
        **({"ssl_options": tls} if tls else {}),
    )


def _why_not_connected(error: Exception, broker: Broker, where: str) -> str:
    text = str(error)  # where pika guesses the cause, the broker's words are in its own
    if isinstance(error, refusals.ProbableAuthenticationError | refusals.AuthenticationError):
        return f"The broker at {where} refuses user {broker.username}: check user and password."
    if getattr(error, "reply_code", 0) == 403 and "Login" in text:
        return f"The broker at {where} refuses user {broker.username}: check user and password."
    if "not found" in text:
        return f"The broker at {where} has no vhost {broker.vhost}: check the end of the transport URL."
    if isinstance(error, refusals.ProbableAccessDeniedError) or getattr(error, "reply_code", 0) in (403, 530):
        return (
            f"User {broker.username} may not use vhost {broker.vhost} at {where}: give access to it "
            "(rabbitmqctl set_permissions)."
        )
    return f"The broker at {where} can not be reached ({_cause(error)}): check host, port and TLS."


def _cause(error: BaseException) -> str:
    """The system's own words for what is at the bottom of pika's chain of errors."""
    for each in _chain(error):
        if isinstance(each, ssl.SSLError):
            return f"TLS: {each.reason or 'failed'}"
        if isinstance(each, socket.gaierror):
            return "no such host"
        if isinstance(each, OSError) and each.strerror:
            return each.strerror
    return "no answer in AMQP 0-9-1"


def _chain(error: BaseException | None, depth: int = 0) -> list[BaseException]:
    if error is None or depth > 8:
        return []
    found = [error]
    nested = [*error.args, getattr(error, "exception", None), *getattr(error, "exceptions", ()), error.__cause__]
    for each in nested:
        if isinstance(each, BaseException):
            found += _chain(each, depth + 1)
    return found
