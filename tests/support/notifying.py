"""Real oslo.messaging notifiers and a real listener for them, as nova and ceilometer have them."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # importing it warns about eventlet, which is not in use here
    import oslo_messaging
    from oslo_config import cfg
    from oslo_context import context

from tests.support.rabbitmq import Cloud

TOPICS = {"messaging": "notifications", "messagingv2": "versioned_notifications"}
"""Topic of each wire format, as nova uses them."""
GIVE_UP_S = 60.0


class _Contexts(oslo_messaging.NoOpSerializer):  # type: ignore[misc]
    """A request's context as nova sends it."""

    def serialize_context(self, one: Any) -> dict[str, Any]:
        return dict(one.to_dict())


@dataclass
class Reader:
    """What a consumer of the services' own queues got, by its event type."""

    got: list[str] = field(default_factory=list)

    def info(self, ctxt: Any, publisher_id: str, event_type: str, payload: Any, metadata: Any) -> None:
        self.got.append(event_type)

    def error(self, ctxt: Any, publisher_id: str, event_type: str, payload: Any, metadata: Any) -> None:
        self.got.append(event_type)

    def wait_for(self, count: int) -> list[str]:
        deadline = time.monotonic() + GIVE_UP_S
        while len(self.got) < count:
            assert time.monotonic() < deadline, f"only {len(self.got)} came"
            threading.Event().wait(0.02)
        return list(self.got)


@dataclass
class Teller:
    """A service that notifies in both formats."""

    transport: Any
    host: str

    def tell(
        self, event: str, payload: dict[str, Any], request_id: str = "", *, driver: str = "messagingv2",
        level: str = "info",
    ) -> None:  # fmt: skip
        """A notification by one of the notifiers."""
        notifier = oslo_messaging.Notifier(
            self.transport, publisher_id=f"nova-compute:{self.host}", driver=driver, topics=[TOPICS[driver]], retry=3,
            serializer=_Contexts(),
        )  # fmt: skip
        asked = context.RequestContext(request_id=request_id or None, auth_token="PS7q", overwrite=False)
        getattr(notifier, level)(asked, event, payload)


@contextmanager
def teller(cloud: Cloud, host: str = "compute-1") -> Iterator[Teller]:
    """Its control exchange is nova's."""
    transport = _transport(cloud)
    try:
        yield Teller(transport, host)
    finally:
        transport.cleanup()


@contextmanager
def reader(cloud: Cloud) -> Iterator[Reader]:
    """Who consumes notifications already, from the queues that are the services' own."""
    transport, endpoint = _transport(cloud), Reader()
    targets = [oslo_messaging.Target(topic=topic) for topic in TOPICS.values()]
    listener = oslo_messaging.get_notification_listener(transport, targets, [endpoint], executor="threading")
    listener.start()
    try:
        yield endpoint
    finally:
        listener.stop()
        listener.wait()
        transport.cleanup()


def _transport(cloud: Cloud) -> Any:
    conf = cfg.CONF  # the library registers some of its options on the global configuration only
    conf([], project="nova", default_config_files=[], default_config_dirs=[])
    oslo_messaging.set_transport_defaults("nova")
    return oslo_messaging.get_notification_transport(conf, url=cloud.server.transport_url(cloud.vhost))
