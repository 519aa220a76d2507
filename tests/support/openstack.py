"""A small real oslo.messaging cloud in the test's own process: one server on a topic, one caller, one notifier."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # importing it warns about eventlet, which is not in use here
    import oslo_messaging
    from oslo_config import cfg

from tests.support.rabbitmq import Cloud


class _Endpoint:
    target = oslo_messaging.Target(version="1.0")

    def ping(self, ctxt: dict[str, Any], arg: str) -> str:
        return arg

    def note(self, ctxt: dict[str, Any], arg: str) -> None:
        """Takes a cast or a fanout."""


@dataclass
class Caller:
    """What nova's API does with its transport."""

    transport: Any
    topic: str
    host: str

    def call(self, request_id: str) -> None:
        self._client().call({"request_id": request_id}, "ping", arg="x")

    def cast(self, request_id: str) -> None:
        self._client(server=self.host).cast({"request_id": request_id}, "note", arg="x")

    def fanout(self, request_id: str) -> None:
        self._client(fanout=True).cast({"request_id": request_id}, "note", arg="x")

    def notify(self, event_type: str) -> None:
        notifier = oslo_messaging.Notifier(
            self.transport, publisher_id=f"api.{self.host}", driver="messagingv2", topics=["notifications"]
        )
        notifier.info({}, event_type, {"instance_id": ""})

    def _client(self, **where: Any) -> Any:
        target = oslo_messaging.Target(topic=self.topic, version="1.0")
        return oslo_messaging.get_rpc_client(self.transport, target, timeout=30).prepare(**where)


@contextmanager
def services(cloud: Cloud, topic: str = "scheduler", host: str = "controller") -> Iterator[Caller]:
    """A server that consumes a topic, and who calls it; the control exchange is nova's."""
    conf = cfg.CONF  # the library registers some of its options on the global configuration only
    conf([], project="nova", default_config_files=[], default_config_dirs=[])
    oslo_messaging.set_transport_defaults("nova")
    url = cloud.server.transport_url(cloud.vhost)
    served, asked = (oslo_messaging.get_rpc_transport(conf, url=url) for _ in range(2))
    server = oslo_messaging.get_rpc_server(served, oslo_messaging.Target(topic=topic, server=host), [_Endpoint()])
    server.start()
    try:
        yield Caller(asked, topic, host)
    finally:
        server.stop()
        server.wait()
        served.cleanup()
        asked.cleanup()
