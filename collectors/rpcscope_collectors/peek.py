"""A look at the first messages of a queue, which leaves them where they are.

    classic   basic.get x N, then one basic.nack that gives back all: to their places, marked redelivered
    stream    read from its first offset; nothing changes

Nothing is acknowledged, so that whatever ends the look (also kill -9), the broker gives back what was taken.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pika.exceptions import AMQPError

from rpcscope.errors import BrokerError, UsageError
from rpcscope.model import PEEK_CHANNEL, Observation
from rpcscope_collectors.amqp import connect, refusal
from rpcscope_collectors.peekable import PeekApi, in_use
from rpcscope_collectors.tap_queue import FIREHOSE
from rpcscope_collectors.transport import Broker

MOST = 50
"""Messages of one look."""
MOST_BYTES = 32_000_000
"""Bodies of one look; it ends with the message that makes it more."""
_SILENCE_S = 2.0  # a stream says nothing when it has no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Peeked:
    """The first messages of a queue, each as the firehose would have shown its publish."""

    queue: str
    type: str  # classic | stream
    messages: tuple[Observation, ...]
    consumers: int  # that came while it was looked at, so may have got later messages first
    cut: bool  # the bodies were too large to look at as many as asked


def peek(api: PeekApi, broker: Broker, queue: str, count: int) -> Peeked:
    """The first `count` messages of a queue, at most 50.

    Raises:
        UsageError: the queue might be harmed; see `peekable`.
        BrokerError: no such queue, no right to read it, no connection.
    """
    kind = api.check(broker.vhost, queue)
    with contextlib.closing(_Quiet(connect(broker, "peek"))) as connection:
        _expect_same(connection.cluster, api)
        try:
            channel = connection.channel()
            look = _look_at_stream if kind == "stream" else _look_at_classic
            return look(channel, queue, min(count, MOST))
        except (AMQPError, OSError) as error:
            raise _why(error, broker.username) from error


class _Quiet:
    """A connection whose end is no failure: what was taken and not given back, the broker gives back."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @property
    def cluster(self) -> str:
        """What the broker calls its cluster."""
        name = self._connection._impl.server_properties.get("cluster_name", "")
        return name.decode(errors="replace") if isinstance(name, bytes) else str(name)

    def channel(self) -> Any:
        return self._connection.channel(PEEK_CHANNEL)

    def close(self) -> None:
        with contextlib.suppress(AMQPError, OSError):
            self._connection.close()


def _expect_same(cluster: str, api: PeekApi) -> None:
    """What was checked has to be the queue that is looked into, and not one of that name elsewhere."""
    if api.overview().cluster != cluster:
        raise UsageError(
            f"the management API at {api.url} is not known to be of the broker that is looked into: give the URL of "
            "the node that --transport-url names"
        )


def _look_at_classic(channel: Any, queue: str, count: int) -> Peeked:
    consumers = _consumers(channel, queue)
    if consumers:
        raise UsageError(in_use(queue, consumers))
    taken: list[Observation] = []
    try:
        for message in _taken(channel, queue):
            taken.append(message)
            if len(taken) >= count or _is_too_much(taken):
                break
    finally:
        _give_back(channel)
    came = _consumers(channel, queue)  # answered behind the giving back: now all are in their places
    return Peeked(queue=queue, type="classic", messages=tuple(taken), consumers=came, cut=_is_cut(taken, count))


def _taken(channel: Any, queue: str) -> Iterator[Observation]:
    while True:
        method, properties, body = channel.basic_get(queue)
        if method is None:
            return
        yield _observed(method, properties, body)


def _give_back(channel: Any) -> None:
    """All that this channel took, in one step."""
    if channel.is_open:
        channel.basic_nack(0, multiple=True, requeue=True)


def _look_at_stream(channel: Any, queue: str, count: int) -> Peeked:
    channel.basic_qos(prefetch_count=count)
    seen: list[Observation] = []
    for method, properties, body in channel.consume(
        queue, arguments={"x-stream-offset": "first"}, inactivity_timeout=_SILENCE_S
    ):
        if method is None:
            break
        seen.append(_observed(method, properties, body))
        if len(seen) >= count or _is_too_much(seen):
            break
    return Peeked(queue=queue, type="stream", messages=tuple(seen), consumers=0, cut=_is_cut(seen, count))


def _consumers(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).method.consumer_count)


def _is_too_much(seen: list[Observation]) -> bool:
    return sum(message.size for message in seen) > MOST_BYTES


def _is_cut(seen: list[Observation], count: int) -> bool:
    return len(seen) < count and _is_too_much(seen)


def _observed(method: Any, properties: Any, body: bytes) -> Observation:
    known = {"expiration": properties.expiration, "headers": properties.headers}
    return Observation(
        at_ns=time.time_ns(),
        exchange=FIREHOSE,
        routing_key=f"publish.{method.exchange}",
        headers={
            "exchange_name": method.exchange,
            "routing_keys": [method.routing_key],
            "properties": {key: value for key, value in known.items() if value},
        },
        body=body,
        size=len(body),
        redelivered=bool(method.redelivered),
    )


def _why(error: Exception, user: str) -> BrokerError:
    code = getattr(error, "reply_code", 0)
    if code == 404:
        return BrokerError("There is no such queue any more: `rpcscope queues --all` lists those that are.")
    if code == 405 or "exclusive" in str(getattr(error, "reply_text", "")):
        return BrokerError("The queue is exclusive: the broker lets nobody but its own connection look into it.")
    if code:
        return refusal(error, user, "a look into a queue needs read on it")
    return BrokerError("The connection broke while the queue was looked at; the broker gives back what was taken.")
