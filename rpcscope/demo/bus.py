"""oslo.messaging as a nova service uses it: servers on its topics, calls, casts and fanouts of steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import oslo_messaging
from oslo_config import cfg

from rpcscope.demo import bodies
from rpcscope.demo.failures import failure
from rpcscope.demo.scenes import Step
from rpcscope.model import MessageKind

Handler = Callable[..., object]


class Endpoint:
    """Every method of one namespace and major version; oslo.messaging looks methods up by name."""

    def __init__(self, target: Any, handle: Handler) -> None:
        """`target` tells the library what this endpoint is for; `handle` gets every message."""
        self.target = target
        self._handle = handle

    def __getattr__(self, method: str) -> Handler:
        """The one handler, whatever the method."""
        if method.startswith(("_", "oslo_")):
            raise AttributeError(method)
        return self._handle


class Bus:
    """The connections of one process."""

    def __init__(self, transport_url: str, topics: Iterable[str], host: str, handle: Handler) -> None:
        """`handle` gets every message of the topics: `handle(context, **args)`, on a thread of the library's."""
        self._handle = handle
        self._endpoints: list[Endpoint] = []
        self._versions: set[tuple[str, str]] = set()
        # The library registers some of its options on the global configuration only.
        cfg.CONF([], project="nova", default_config_files=[], default_config_dirs=[])
        oslo_messaging.set_transport_defaults("nova")
        self._transport = oslo_messaging.get_rpc_transport(
            cfg.CONF, url=transport_url, allowed_remote_exmods=[failure.__module__]
        )
        self._servers = [self._server(oslo_messaging.Target(topic=topic, server=host)) for topic in topics]

    def _server(self, target: Any) -> Any:
        return oslo_messaging.get_rpc_server(self._transport, target, self._endpoints, executor="threading")

    def start(self) -> None:
        """Declare the queues and consume."""
        for server in self._servers:
            server.start()

    def close(self) -> None:
        """Stop consuming and close the connections."""
        for server in self._servers:
            server.stop()
        for server in self._servers:
            server.wait()
        self._transport.cleanup()

    def answer(self, versions: Iterable[tuple[str, str]]) -> None:
        """From now on take messages of these namespaces and versions too."""
        for namespace, version in set(versions) - self._versions:
            self._versions.add((namespace, version))
            target = oslo_messaging.Target(namespace=namespace or None, version=version)
            self._endpoints.append(Endpoint(target, self._handle))

    def send(self, step: Step, server: str | None, ctxt: Mapping[str, Any], args: Mapping[str, Any]) -> None:
        """Publish a step; a call returns when it is answered. Its recorded failure is no error."""
        target = oslo_messaging.Target(
            topic=step.topic,
            server=server,
            namespace=step.namespace or None,
            version=step.version or None,
            fanout=step.kind is MessageKind.FANOUT,
        )
        client = oslo_messaging.get_rpc_client(
            self._transport, target, timeout=step.timeout_ms / 1000, call_monitor_timeout=bodies.monitor_s(step)
        )
        if step.kind is MessageKind.REQUEST:
            _call(partial(client.call, ctxt, bodies.wire_method(step), **args), step)
        else:
            client.cast(ctxt, bodies.wire_method(step), **args)


def expected(error: Exception) -> Exception:
    """What to raise in a handler so that the library answers with `error`, being handled, and logs nothing."""
    wrapped: Exception = oslo_messaging.ExpectedException()
    wrapped.__cause__ = error
    return wrapped


def _call(call: Callable[[], object], step: Step) -> None:
    try:
        call()
    except Exception as error:
        if not step.failure or type(error).__name__.removesuffix("_Remote") != failure(step.failure).__name__:
            raise
