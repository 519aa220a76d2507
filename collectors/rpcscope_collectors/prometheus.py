"""Queues as the plugin rabbitmq_prometheus shows them: the cheapest way to see all of them."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from rpcscope.errors import BrokerError
from rpcscope_collectors.node_metrics import NodeMetrics, node_metrics
from rpcscope_collectors.web_client import MAX_ANSWER, address, login, opener

_CHEAP = ("queue_coarse_metrics", "queue_consumer_count")
_ALL = (*_CHEAP, "queue_metrics")  # twenty more lines for each queue, of which we want one
_FIELDS = {
    b"rabbitmq_detailed_queue_messages_ready": "ready",
    b"rabbitmq_detailed_queue_messages_unacked": "unacked",
    b"rabbitmq_detailed_queue_consumers": "consumers",
    b"rabbitmq_detailed_queue_process_memory_bytes": "memory",
}


@dataclass(slots=True)
class Reading:
    """What one node says of one queue; None when it says nothing."""

    ready: int | None = None
    unacked: int | None = None
    consumers: int | None = None
    memory: int | None = None


class Prometheus:
    """The metrics of one node, which knows only the queues whose leader it is: a cluster needs one of each node."""

    def __init__(self, url: str, *, ca_file: str = "", timeout_s: float = 30.0) -> None:
        """Nothing is asked yet; a user and password may be in `url`. Raises UsageError for a bad URL or file."""
        found = address(url, what="Prometheus", port=15692, endings=("/detailed", "/metrics"))
        self.url, self._timeout_s = found.url, timeout_s
        self._headers = login(found.username, found.password) if found.username else {}
        self._opener = opener(ca_file, "the metrics' server")

    def __repr__(self) -> str:
        """The URL alone."""
        return f"Prometheus({self.url!r})"

    def queues(self, vhost: str, *, memory: bool = False) -> dict[str, Reading]:
        """The vhost's queues on this node by name; with `memory` it costs several times as much.

        Raises BrokerError when there is no such answer. Names of metrics: rabbitmq_prometheus 3.10 and later.
        """
        families = _ALL if memory else _CHEAP
        query = urlencode([("vhost", vhost), *(("family", family) for family in families)])
        return _read(self._ask(f"metrics/detailed?{query}"), vhost)

    def node(self) -> NodeMetrics:
        """CPU time and alarms of the node; the answer has some 80 kB. Raises BrokerError when there is none."""
        return node_metrics(self._ask("metrics"))

    def _ask(self, path: str) -> bytes:
        request = urllib.request.Request(f"{self.url}/{path}", headers=self._headers)  # noqa: S310
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                body: bytes = answer.read(MAX_ANSWER + 1)
        except urllib.error.HTTPError as error:
            error.close()
            raise BrokerError(_refused(self.url, error.code)) from None
        except (OSError, http.client.HTTPException):
            raise BrokerError(
                f"The metrics at {self.url} can not be reached: check the URL, and that the plugin rabbitmq_prometheus "
                "is enabled."
            ) from None
        if len(body) > MAX_ANSWER:
            raise BrokerError(f"The metrics at {self.url} are more than {MAX_ANSWER} bytes: give up on them.")
        if b"# TYPE rabbitmq_" not in body:
            raise BrokerError(
                f"What answers at {self.url} is not rabbitmq_prometheus: give its URL, mostly http://<host>:15692."
            )
        return body


def _read(body: bytes, vhost: str) -> dict[str, Reading]:
    """The readings of a text exposition."""
    found: dict[str, Reading] = {}
    for field, name, value in _values(body, vhost):
        reading = found.get(name)
        if reading is None:
            reading = found[name] = Reading()
        setattr(reading, field, value)
    return found


def _values(body: bytes, vhost: str) -> Iterator[tuple[str, str, int]]:
    # RabbitMQ takes line ends out of names, but writes quotes and backslashes of a name as they are: so a label ends
    # where the line does, and nothing is unescaped.
    head = f'vhost="{vhost}",queue="'.encode()
    for line in body.split(b"\n"):
        metric, _, rest = line.partition(b"{")
        field = _FIELDS.get(metric)
        if field is None or not rest.startswith(head):
            continue
        name, _, number = rest[len(head) :].rpartition(b'"} ')
        try:
            yield field, name.decode("utf-8", "replace"), int(float(number))
        except (ValueError, OverflowError):  # NaN is how it says unknown
            continue


def _refused(url: str, status: int) -> str:
    if status in (401, 403):
        return f"The metrics at {url} refuse us: put user and password into the URL."
    if status == 404:
        return f"There is no /metrics/detailed at {url}: it needs RabbitMQ 3.10 or later; leave the URL out otherwise."
    return f"The metrics at {url} fail with status {status}: read the broker's log."
