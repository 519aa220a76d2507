"""What oslo.messaging loads for `rpcscope+rabbit://`, `rpcscope+kombu://` and `rpcscope+fake://`."""

from __future__ import annotations

import importlib
import logging
import os
import socket
from typing import Any

from rpcscope_oslo_tap.amqp import tapped_driver
from rpcscope_oslo_tap.fake import tapped_fake
from rpcscope_oslo_tap.selftest import moved_in_amqp, moved_in_fake
from rpcscope_oslo_tap.settings import PREFIX, BadAddress, Where, where
from rpcscope_oslo_tap.tap import Tap

LOG = logging.getLogger(__name__)

_RABBIT = ("rabbit", "kombu")
_taps: dict[Where, Tap] = {}


def load(conf: Any, url: Any, default_exchange: Any = None, allowed_remote_exmods: Any = None) -> Any:
    """The real driver, with hooks; without them, and one line in the log, where they can not be.

    Raises:
        ValueError: the scheme names no driver that is wrapped.
    """
    real = url.transport.partition("+")[2]
    kind = real.partition("+")[0]
    if kind not in (*_RABBIT, "fake"):
        raise ValueError("a transport URL begins with rpcscope+rabbit://, rpcscope+kombu:// or rpcscope+fake://")
    destination = _destination(url)
    plain_url = _plain(url, real)
    driver_class = _driver_class(kind, destination, conf)
    return driver_class(conf, plain_url, default_exchange=default_exchange, allowed_remote_exmods=allowed_remote_exmods)


def _destination(url: Any) -> Where | None:
    try:
        destination = where(url.query, os.environ)
    except BadAddress as error:
        LOG.warning("rpcscope is not told of RPCs: rpcscope_tap or RPCSCOPE_TAP is no address: %s", error)
        return None
    if destination is None:
        LOG.warning("rpcscope is not told of RPCs: neither RPCSCOPE_TAP nor ?rpcscope_tap= names a recorder")
    return destination


def _plain(url: Any, transport: str) -> Any:
    """The URL as the real driver wants it: it takes every option in the query for one of its own."""
    query = {name: value for name, value in url.query.items() if not name.startswith(PREFIX)}
    return type(url)(url.conf, transport, url.virtual_host, url.hosts, query)


def _driver_class(kind: str, destination: Where | None, conf: Any) -> Any:
    if kind == "fake":
        real = importlib.import_module("oslo_messaging._drivers.impl_fake").FakeDriver
        moved = moved_in_fake(real)
    else:
        impl = importlib.import_module("oslo_messaging._drivers.impl_rabbit")
        amqpdriver = importlib.import_module("oslo_messaging._drivers.amqpdriver")
        real = impl.RabbitDriver
        moved = moved_in_amqp(real, impl, amqpdriver)
    if destination is None:
        return real
    if moved:
        LOG.warning("rpcscope is not told of RPCs: this oslo.messaging has changed %s", moved)
        return real
    tap = _taps.setdefault(destination, Tap(destination, _host(conf)))
    return tapped_fake(real, tap) if kind == "fake" else tapped_driver(real, impl, amqpdriver, tap)


def _host(conf: Any) -> str:
    """As the service calls its host: nova, neutron and cinder have an option for it."""
    try:
        host = conf.host
    except Exception:
        host = None
    return host if isinstance(host, str) and host else socket.gethostname()
