"""Which routing keys bind a tap's queue to the firehose, by what the tap is to see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

Mode = Literal["publish", "control", "full"]

PREFIX = "rpcscope.tap."
NOTIFIED = ".notifications"
"""What the name of a tap ends in that takes notifications alone, beside the tap on RPCs."""
PUBLISHES = "publish.#"
_DELIVERIES = "deliver.#"
_LONGEST_KEY = 255  # bytes, by AMQP

# Topics of nova, cinder, neutron and others, for brokers whose queues can not be listed.
_WELL_KNOWN = (
    *("compute", "compute-alt", "conductor", "scheduler"),
    *("cinder-backup", "cinder-scheduler", "cinder-volume", "manila-scheduler", "manila-share"),
    *("q-plugin", "q-reports-plugin", "q-l3-plugin", "q-server-resource-versions"),
    *("dhcp_agent", "l3_agent", "metering_agent"),
    *("ironic", "magnum-conductor", "octavia_provisioning_v2", "engine", "heat-engine-listener", "ha_engine"),
    *("central", "worker", "mdns", "trove"),
)


def wanted(mode: Mode, queues: Iterable[str] | None) -> frozenset[str]:
    """Routing keys of a mode. `queues` are the names of the vhost's queues, None when they are not known.

    publish: every publish. full: everything. control: also deliveries, but of no reply and no fanout copy.
    A topic pattern can not say "not reply_*", so control names what it wants: `deliver.compute.#` for a whole
    family when no unwanted queue begins with the same word, and `deliver.<queue>` for each queue otherwise
    (neutron's version numbers put fanouts and shared queues under one first word). Well-known families are
    bound before they have a queue, so that a service that starts is seen from its first message.
    """
    if mode == "full":
        return frozenset({PUBLISHES, _DELIVERIES})  # not "#": between modes the publishes stay bound as they are
    if mode == "publish":
        return frozenset({PUBLISHES})
    if queues is None:
        return frozenset({PUBLISHES, *(f"deliver.{word}.#" for word in _WELL_KNOWN)})
    return frozenset({PUBLISHES, *_deliveries(queues)})


def known_patterns() -> frozenset[str]:
    """Every key a tap may have bound without a list of queues."""
    return wanted("full", None) | wanted("publish", None) | wanted("control", None)


def is_control(queue: str) -> bool:
    """Shared and per-host queues are; replies, fanout copies and taps are not."""
    return not (queue.startswith(("reply_", PREFIX)) or "_fanout" in queue)


def _deliveries(queues: Iterable[str]) -> set[str]:
    families: dict[str, list[str]] = defaultdict(list, {word: [] for word in _WELL_KNOWN})
    for queue in queues:
        families[queue.partition(".")[0]].append(queue)
    keys: set[str] = set()
    for word, family in families.items():
        if word and all(map(is_control, family)):
            keys.add(f"deliver.{word}.#")
        else:
            keys.update(f"deliver.{queue}" for queue in family if is_control(queue))
    return {key for key in keys if _is_safe(key)}


def _is_safe(key: str) -> bool:
    """A queue may be called "#", which would bind everything."""
    words = key.removesuffix(".#").split(".")
    return not {"*", "#"} & set(words) and len(key.encode()) <= _LONGEST_KEY
