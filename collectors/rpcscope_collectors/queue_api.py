"""Queues, nodes, exchanges and bindings by the management API."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from rpcscope.model import Binding, Exchange, Layout, NodeState, QueueSample
from rpcscope_collectors.answers import count, text
from rpcscope_collectors.management import Management

_FACTS = ("name", "type", "node", "leader", "durable", "state")
_RATES = tuple(f"message_stats.{word}_details.rate" for word in ("publish", "deliver_get", "ack"))
_SAMPLE = (*_FACTS, "messages_ready", "messages_unacknowledged", "consumers", "memory", *_RATES)
_ALARMS = ("mem_used", "mem_limit", "mem_alarm", "disk_free", "disk_free_limit", "disk_free_alarm")
_NODE = ("name", "running", "partitions", *_ALARMS)
_BLOCKED = ("blocked", "blocking")


class QueueApi(Management):
    """The management API, asked for queues. Each method raises BrokerError when it gets no answer."""

    def __init__(self, url: str, username: str, password: str, *, ca_file: str = "", timeout_s: float = 60.0) -> None:
        """As `Management`, with more patience: 20,000 queues take a busy broker seconds."""
        super().__init__(url, username, password, ca_file=ca_file, timeout_s=timeout_s)

    def samples(self, vhost: str) -> tuple[QueueSample, ...]:
        """Every queue of the vhost."""
        return self._queues(vhost, columns=",".join(_SAMPLE))

    def facts(self, vhost: str) -> dict[str, QueueSample]:
        """What seldom changes of each queue, by name: type, node, durable, state. Cheaper than `samples`."""
        return {q.queue: q for q in self._queues(vhost, columns=",".join(_FACTS), disable_stats="true")}

    def node_states(self) -> tuple[NodeState, ...]:
        """Every node of the cluster, also those that do not run."""
        at_ns = time.time_ns()
        nodes = [_node(at_ns, item) for item in self._items("nodes", ",".join(_NODE))]
        alarm = any(n.mem_alarm or n.disk_alarm for n in nodes)
        blocked = self._blocked() if alarm else {}  # only an alarm blocks, and looking at all connections is dear
        return tuple(replace(n, blocked=blocked.get(n.node, 0)) for n in nodes)

    def layout(self, vhost: str) -> Layout:
        """Exchanges and bindings of the vhost."""
        at_ns, name = time.time_ns(), quote(vhost, safe="")
        exchanges = self._pages(f"exchanges/{name}", "name,type,durable")
        bindings = self._items(f"bindings/{name}", "source,destination,destination_type,routing_key")
        return Layout(
            at_ns=at_ns,
            vhost=vhost,
            exchanges=tuple(
                Exchange(name=text(e, "name"), kind=text(e, "type"), durable=bool(e.get("durable"))) for e in exchanges
            ),
            bindings=tuple(
                Binding(
                    exchange=text(b, "source"),
                    destination=text(b, "destination"),
                    to_queue=b.get("destination_type") == "queue",
                    routing_key=text(b, "routing_key"),
                )
                for b in bindings
                if b.get("source")
            ),
        )

    def _queues(self, vhost: str, **query: str) -> tuple[QueueSample, ...]:
        # Not by pages: for each page the broker lists and sorts all queues, so that 10,000 queues take 20 times that.
        at_ns = time.time_ns()
        answer = self._ask("GET", f"queues/{quote(vhost, safe='')}?{urlencode(query)}")
        if not isinstance(answer, list):
            raise self._not_the_api()
        return tuple(_sample(at_ns, vhost, item) for item in answer if isinstance(item, dict))

    def _blocked(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for each in self._pages("connections", "node,state"):
            if each.get("state") in _BLOCKED:
                node = text(each, "node")
                found[node] = found.get(node, 0) + 1
        return found


def _sample(at_ns: int, vhost: str, item: Mapping[str, Any]) -> QueueSample:
    stats = item.get("message_stats")
    durable = item.get("durable")
    return QueueSample(
        at_ns=at_ns,
        vhost=vhost,
        queue=text(item, "name"),
        ready=count(item, "messages_ready"),
        unacked=count(item, "messages_unacknowledged"),
        consumers=count(item, "consumers"),
        memory=count(item, "memory"),
        publish_rate=_rate(stats, "publish"),
        deliver_rate=_rate(stats, "deliver_get"),
        ack_rate=_rate(stats, "ack"),
        type=text(item, "type"),
        node=text(item, "node") or text(item, "leader"),
        durable=durable if isinstance(durable, bool) else None,
        state=text(item, "state"),
    )


def _node(at_ns: int, item: Mapping[str, Any]) -> NodeState:
    partitions = item.get("partitions")
    return NodeState(
        at_ns=at_ns,
        node=text(item, "name"),
        running=item.get("running") is True,
        mem_used=count(item, "mem_used"),
        mem_limit=count(item, "mem_limit"),
        mem_alarm=_flag(item, "mem_alarm"),
        disk_free=count(item, "disk_free"),
        disk_limit=count(item, "disk_free_limit"),
        disk_alarm=_flag(item, "disk_free_alarm"),
        partitions=tuple(map(str, partitions)) if isinstance(partitions, list) else (),
    )


def _rate(stats: object, word: str) -> float | None:
    details = stats.get(f"{word}_details") if isinstance(stats, dict) else None
    rate = details.get("rate") if isinstance(details, dict) else None
    return float(rate) if isinstance(rate, int | float) else None


def _flag(item: Mapping[str, Any], key: str) -> bool | None:
    value = item.get(key)
    return value if isinstance(value, bool) else None
