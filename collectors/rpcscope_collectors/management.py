"""RabbitMQ's management API: nodes, tracing, who is connected and who consumes what."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from rpcscope.errors import BrokerError
from rpcscope.model import Connection, Consumer, Topology
from rpcscope_collectors.answers import count, items, part, text
from rpcscope_collectors.web_client import MAX_ANSWER, address, login, opener

_PAGE = 500  # the API's own limit of a page
_ALARMS = (("mem_alarm", "memory"), ("disk_free_alarm", "disk"))
_SEES_ALL = {"administrator", "monitoring"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The node that answered, and what it calls its cluster."""

    node: str
    cluster: str
    rabbitmq_version: str
    erlang_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeWork:
    """What a node says of its work. None is unknown."""

    node: str
    waiting: int | None  # Erlang processes that could run and wait for a core
    cores: int | None
    alarms: tuple[str, ...]


class Management:
    """The management API of one node. Each method asks once and raises BrokerError when it gets no answer."""

    def __init__(self, url: str, username: str, password: str, *, ca_file: str = "", timeout_s: float = 10.0) -> None:
        """Nothing is asked yet. A user and password in `url` win over the arguments.

        `ca_file` verifies an https server instead of the system's authorities. Raises UsageError for a bad URL.
        """
        found = address(url, what="management", port=15672, endings=("/api",))
        self.url, self._timeout_s = found.url, timeout_s
        self._username = found.username or username
        self._headers = login(self._username, found.password if found.username else password)
        self._opener = opener(ca_file, "the management API")

    def __repr__(self) -> str:
        """The URL alone."""
        return f"Management({self.url!r})"

    def overview(self) -> Overview:
        """Who answers."""
        answer = self._get("overview", columns="node,cluster_name,rabbitmq_version,erlang_version")
        return Overview(
            node=text(answer, "node"),
            cluster=text(answer, "cluster_name"),
            rabbitmq_version=text(answer, "rabbitmq_version"),
            erlang_version=text(answer, "erlang_version"),
        )

    def cluster_id(self) -> str:
        """What is the same on all nodes of a cluster and nowhere else; needs the administrator tag.

        The cluster's name is no such thing: until somebody sets it, each node answers with its own.
        """
        for parameter in self._items("global-parameters", "name,value"):
            if parameter.get("name") == "internal_cluster_id":
                return text(parameter, "value")
        return self.overview().cluster

    def nodes(self) -> tuple[str, ...]:
        """Names of the cluster's running nodes."""
        return tuple(text(node, "name") for node in self._items("nodes", "name,running") if node.get("running"))

    def work(self) -> tuple[NodeWork, ...]:
        """What the cluster's running nodes say of their work. Renewed every 5 seconds; alarms at once."""
        columns = "name,running,run_queue,processors,mem_alarm,disk_free_alarm"
        return tuple(
            NodeWork(
                node=text(node, "name"),
                waiting=count(node, "run_queue"),
                cores=count(node, "processors"),
                alarms=tuple(word for key, word in _ALARMS if node.get(key) is True),
            )
            for node in self._items("nodes", columns)
            if node.get("running")
        )

    def tracing(self, vhost: str) -> bool:
        """The node that answers traces the vhost; other nodes may not."""
        return bool(self._vhost(vhost, "tracing").get("tracing"))

    def set_tracing(self, vhost: str, on: bool) -> None:
        """Switch tracing of the vhost on the node that answers; needs the administrator tag alone, no right on it."""
        path = f"vhosts/{_name(vhost)}"
        # PUT makes a vhost that is missing and may reset what it is not told, so what is there is read first.
        known = self._get(path)
        kept = {key: known[key] for key in ("description", "tags") if known.get(key)}
        if known.get("default_queue_type") not in (None, "undefined", ""):
            kept["default_queue_type"] = known["default_queue_type"]
        self._ask("PUT", path, {**kept, "tracing": on})

    def published(self, vhost: str) -> int:
        """Messages clients have published to the vhost since its statistics began. Renewed every 5 seconds."""
        count = part(self._vhost(vhost, "message_stats.publish"), "message_stats").get("publish")
        return count if isinstance(count, int) else 0

    def queues(self, vhost: str) -> tuple[str, ...]:
        """Names of the vhost's queues and streams."""
        return tuple(text(queue, "name") for queue in self._pages(f"queues/{_name(vhost)}", "name"))

    def exchanges(self, vhost: str) -> tuple[tuple[str, str], ...]:
        """Name and type of the vhost's exchanges."""
        found = self._pages(f"exchanges/{_name(vhost)}", "name,type")
        return tuple((text(exchange, "name"), text(exchange, "type")) for exchange in found)

    def bindings(self, vhost: str, queue: str) -> tuple[tuple[str, str], ...]:
        """Exchange and routing key of each binding of a queue, but for the default exchange; the queue has to exist."""
        found = self._items(f"queues/{_name(vhost)}/{_name(queue)}/bindings", "source,routing_key")
        return tuple((text(one, "source"), text(one, "routing_key")) for one in found if one.get("source"))

    def consumed(self, vhost: str) -> frozenset[str]:
        """Names of the vhost's queues that have a consumer now."""
        found = self._items(f"consumers/{_name(vhost)}", "queue.name")
        return frozenset(text(part(each, "queue"), "name") for each in found)

    def topology(self, vhost: str) -> Topology:
        """Who is connected to the vhost and who consumes what, on all nodes."""
        at_ns = time.time_ns()
        tags = self._get("whoami").get("tags", ())
        tags = set(tags.split(",") if isinstance(tags, str) else tags)
        columns = "name,node,peer_host,user_provided_name"
        connections = tuple(
            Connection(
                name=text(each, "name"),
                client_name=text(each, "user_provided_name"),
                peer_host=text(each, "peer_host"),
                node=text(each, "node"),
            )
            for each in self._pages(f"vhosts/{_name(vhost)}/connections", columns)
        )
        consumers = tuple(
            Consumer(
                connection=text(part(each, "channel_details"), "connection_name"),
                queue=text(part(each, "queue"), "name"),
            )
            for each in self._items(f"consumers/{_name(vhost)}", "channel_details.connection_name,queue.name")
        )
        return Topology(
            at_ns=at_ns, connections=connections, consumers=consumers, complete=not _SEES_ALL.isdisjoint(tags)
        )

    def _vhost(self, vhost: str, columns: str) -> Mapping[str, Any]:
        """From the list of all, because a vhost that is asked for by name is shown to administrators alone."""
        for found in self._items("vhosts", f"name,{columns}"):
            if found.get("name") == vhost:
                return found
        raise BrokerError(
            f"The management API at {self.url} knows no such vhost, or does not show it to user {self._username}: "
            "check the name of the vhost, or give the user access to it (rabbitmqctl set_permissions)."
        )

    def _pages(self, path: str, columns: str) -> Iterator[Mapping[str, Any]]:
        page = pages = 1
        while page <= pages:
            answer = self._ask("GET", f"{path}?{urlencode({'columns': columns, 'page': page, 'page_size': _PAGE})}")
            if isinstance(answer, dict) and isinstance(answer.get("page_count"), int):
                pages = answer["page_count"]
            yield from items(answer)
            page += 1

    def _items(self, path: str, columns: str) -> list[Mapping[str, Any]]:
        return items(self._ask("GET", f"{path}?{urlencode({'columns': columns})}"))

    def _get(self, path: str, **query: str) -> Mapping[str, Any]:
        answer = self._ask("GET", f"{path}?{urlencode(query)}" if query else path)
        if not isinstance(answer, dict):
            raise self._not_the_api()
        return answer

    def _ask(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> Any:
        headers = {**self._headers, "Content-Type": "application/json"}
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"{self.url}/api/{path}", data, headers, method=method)  # noqa: S310
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                body = answer.read(MAX_ANSWER + 1)
        except urllib.error.HTTPError as error:
            raise self._refused(error) from None
        except (OSError, http.client.HTTPException) as error:
            raise BrokerError(
                f"The management API at {self.url} can not be reached ({_why(error)}): "
                "check the URL, and that the plugin rabbitmq_management is enabled."
            ) from None
        return self._read(body) if content is None else None

    def _read(self, body: bytes) -> Any:
        if len(body) > MAX_ANSWER:
            raise BrokerError(f"The management API at {self.url} answers more than {MAX_ANSWER} bytes: give up on it.")
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise self._not_the_api() from None

    def _refused(self, error: urllib.error.HTTPError) -> BrokerError:
        with error:
            reason = error.read(2000).decode(errors="replace")
        if error.code == 401 and "Not " not in reason and "not authorised to access" not in reason:
            return BrokerError(
                f"The management API at {self.url} refuses user {self._username}: check user and password."
            )
        if error.code in (401, 403):
            return BrokerError(
                f"The management API at {self.url} does not let user {self._username} do this: tracing needs the "
                "tag administrator, reading the tag monitoring and access to the vhost (rabbitmqctl set_user_tags)."
            )
        if error.code == 404 and '"error"' in reason:
            return BrokerError(
                f"What answers at {self.url} knows no such vhost, or is not RabbitMQ's management API: check the name "
                "of the vhost and the URL, mostly http://<host>:15672."
            )
        if error.code < 500:
            return self._not_the_api()
        return BrokerError(f"The management API at {self.url} fails with status {error.code}: read the broker's log.")

    def _not_the_api(self) -> BrokerError:
        return BrokerError(
            f"What answers at {self.url} is not RabbitMQ's management API: give its URL, mostly http://<host>:15672."
        )


def _why(error: Exception) -> str:
    cause = getattr(error, "reason", error)
    if isinstance(cause, ssl.SSLError):
        return f"TLS: {cause.reason or 'failed'}"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return "timed out" if isinstance(cause, TimeoutError) else "it does not speak HTTP"


def _name(name: str) -> str:
    return quote(name, safe="")
