"""Where notifications are published: what a notification tap binds its own queue to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rpcscope_collectors.bindings import known_patterns
from rpcscope_collectors.management import Management
from rpcscope_collectors.tap_queue import FIREHOSE, Binding

EXCHANGES = (
    *(
        "nova",
        "neutron",
        "openstack",
        "cinder",
        "glance",
        "keystone",
        "heat",
        "ironic",
        "manila",
        "octavia",
        "designate",
    ),
    *("magnum", "trove", "barbican", "masakari", "placement"),
)
"""Control exchanges of services as they name them when nobody says otherwise; cinder's is openstack."""
TOPICS = ("notifications", "versioned_notifications")
"""Topics of oslo.messaging and, for versioned ones, of nova."""


class Notifications:
    """Exchanges of services, by keys that only notifications have: `<topic>.<priority>`."""

    mode = "notifications"
    is_traced, is_whole, may_vanish = False, False, True

    def __init__(self, exchanges: Iterable[str] = (), topics: Iterable[str] = ()) -> None:
        """Without names, those that services use unless they are told otherwise."""
        named, keys = tuple(exchanges) or EXCHANGES, tuple(topics) or TOPICS
        self.wanted = frozenset(Binding(exchange, f"{topic}.*") for exchange in named for topic in keys)

    def begin(self, managements: Sequence[Management], vhost: str) -> None:
        """Nothing has to be known."""

    def look(self, management: Management, vhost: str) -> None:
        """Exchanges that come later are bound when they are there."""

    def might_have(self) -> frozenset[Binding]:
        """A tap of the same name may have been on the firehose before."""
        return frozenset(Binding(FIREHOSE, key) for key in known_patterns())
