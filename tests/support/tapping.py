"""What tests of a tap do with it, and with the services it watches."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from rpcscope.model import Gap, GapCause, Observation, Sighting
from rpcscope_collectors.tap import Tap
from tests.support.rabbitmq import Cloud

GIVE_UP_S = 60.0


def sightings_until(tap: Tap, enough: Callable[[list[Sighting]], bool]) -> list[Sighting]:
    """What the tap hands out, each batch acknowledged, until it is enough."""
    seen: list[Sighting] = []
    deadline = time.monotonic() + GIVE_UP_S
    for batch in tap.batches(max_wait_s=0.1):
        seen += batch
        tap.ack()
        if enough(seen):
            return seen
        assert time.monotonic() < deadline, f"not enough after {len(seen)} sightings"
    raise AssertionError("the tap ended")


def keys(seen: list[Sighting]) -> list[str]:
    return [each.routing_key for each in observations(seen) if each.body]


def observations(seen: list[Sighting]) -> list[Observation]:
    return [each for each in seen if isinstance(each, Observation) and each.exchange]


def markers(seen: list[Sighting]) -> int:
    return sum(isinstance(each, Observation) and not each.exchange for each in seen)


def gaps(seen: list[Sighting], cause: GapCause) -> list[Gap]:
    return [each for each in seen if isinstance(each, Gap) and each.cause is cause]


def bodies(seen: list[Sighting], event: str) -> list[int]:
    return [json.loads(each.body)["n"] for each in observations(seen) if each.routing_key == event and each.body]


@contextmanager
def service(cloud: Cloud, *queues: str) -> Iterator[Any]:
    """A service that takes what comes to its queues at once."""
    with closing(cloud.connect()) as connection:
        channel = connection.channel()
        for queue in queues:
            channel.queue_declare(queue)
            channel.basic_consume(queue, lambda *_: None, auto_ack=True)
        yield channel
        connection.process_data_events(0.2)


def cast(channel: Any, queue: str, n: int = 1, properties: Any = None) -> None:
    channel.basic_publish("", queue, json.dumps({"n": n}).encode(), properties)


def last_of(event: str, n: int) -> Callable[[list[Sighting]], bool]:
    return lambda seen: n in bodies(seen, event)
