"""A real oslo.messaging service under the wrapped driver, and who listens to what it tells."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # importing it warns about eventlet, which is not in use here
    import oslo_messaging
    from oslo_config import cfg

from rpcscope.model import Gap, GapCause, Inside, Side
from rpcscope_collectors.listener import Listener

GIVE_UP_S = 60.0


class Endpoint:
    """What the services of these tests do."""

    target = oslo_messaging.Target(version="1.0")

    def ping(self, ctxt: dict[str, Any], arg: str) -> str:
        return arg

    def note(self, ctxt: dict[str, Any], arg: str) -> None:
        """Takes a cast or a fanout."""

    def fail(self, ctxt: dict[str, Any]) -> None:
        raise KeyError("PS7q-message")

    def slow(self, ctxt: dict[str, Any], seconds: float) -> None:
        time.sleep(seconds)


def conf() -> Any:
    """The library's own: it registers some of its options there only."""
    cfg.CONF([], project="nova", default_config_files=[], default_config_dirs=[])
    oslo_messaging.set_transport_defaults("nova")
    return cfg.CONF


@contextmanager
def transport(url: str, *, notifications: bool = False) -> Iterator[Any]:
    """A transport, released at the end."""
    make = oslo_messaging.get_notification_transport if notifications else oslo_messaging.get_rpc_transport
    made = make(conf(), url=url)
    try:
        yield made
    finally:
        made.cleanup()


@contextmanager
def server(url: str, topic: str = "conductor", host: str = "host-1", pool: int = 8) -> Iterator[Any]:
    """A server that consumes a topic, with so many threads."""
    with transport(url) as served:
        target = oslo_messaging.Target(topic=topic, server=host)
        made = oslo_messaging.get_rpc_server(served, target, [Endpoint()])
        made.start(override_pool_size=pool)
        try:
            yield made
        finally:
            made.stop()
            made.wait()


def client(given: Any, topic: str = "conductor", timeout: float = 30, **where: Any) -> Any:
    """Who calls that topic."""
    target = oslo_messaging.Target(topic=topic, version="1.0")
    return oslo_messaging.get_rpc_client(given, target, timeout=timeout).prepare(**where)


def notifier(given: Any) -> Any:
    """Who notifies as nova does."""
    return oslo_messaging.Notifier(given, publisher_id="api.host-1", driver="messagingv2", topics=["notifications"])


def context(number: int = 1) -> dict[str, str]:
    """A request context."""
    return {"request_id": f"req-00000000-0000-4000-8000-{number:012d}", "auth_token": "PS7q-token"}


@contextmanager
def told_to(address: str) -> Iterator[None]:
    """Services that start in this block tell this recorder."""
    os.environ["RPCSCOPE_TAP"] = address
    try:
        yield
    finally:
        del os.environ["RPCSCOPE_TAP"]


def wrapped(url: str) -> str:
    """A transport URL with the tap in front."""
    return f"rpcscope+{url}"


def heard(listener: Listener, enough: Callable[[list[Inside]], bool]) -> list[Inside]:
    """What was told, once it is enough."""
    told: list[Inside] = []
    deadline = time.monotonic() + GIVE_UP_S
    while not enough(told):
        told += [one for one in listener.take(1000) if isinstance(one, Inside)]
        assert time.monotonic() < deadline, f"not enough: {[(one.side.name, one.method) for one in told]}"
        time.sleep(0.01)
    return told


def accounted(listener: Listener, lines: int) -> tuple[int, int]:
    """How many lines were heard and how many are known to be lost, once that is all of them and not one more."""
    heard = lost = 0
    deadline = time.monotonic() + GIVE_UP_S
    while heard + lost < lines:
        for one in listener.take(100):
            heard += isinstance(one, Inside)
            lost += (one.estimate or 0) if isinstance(one, Gap) and one.cause is GapCause.INSIDE else 0
        assert time.monotonic() < deadline, (heard, lost)
        time.sleep(0.01)
    assert heard + lost == lines
    return heard, lost


def of(told: list[Inside], side: Side, method: str) -> list[Inside]:
    """The last word on each call of a method, from one side."""
    last = {one.unique_id: one for one in told if one.side is side and one.method == method}
    return list(last.values())


def unix_address(folder: Path) -> str:
    """A socket in a folder of the test."""
    return f"unix:{folder / 'tap.sock'}"
