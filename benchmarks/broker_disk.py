"""What a tap whose recorder stands still costs the broker in memory and disk, and whether bodies reach the disk.

    python benchmarks/broker_disk.py [--events 140000] [--size 2000] [--rate 2700]

Starts a private broker for each case. The recorder has read as far ahead as it may and acknowledges nothing, as when
its database is away. Memory is what the broker compares with its limit, disk all its data. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import pika

from rpcscope.private_broker import PrivateBroker
from rpcscope_collectors.management import Management
from rpcscope_collectors.tap_queue import FIREHOSE, Binding, Limits, TapQueue
from rpcscope_collectors.transport import from_transport_url

MARK = b"a-body-that-must-be-known-again"
MB = 1_000_000
QUEUE = "rpcscope.tap.stalled"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=140_000, help="published to the tap's queue")
    parser.add_argument("--size", type=int, default=2_000, help="bytes of a body")
    parser.add_argument("--rate", type=float, default=2_700, help="events a second")
    given = parser.parse_args()
    print("| case | events held | their bodies MB | broker memory MB more | disk MB more | bodies on disk |")
    print("|---|---|---|---|---|---|")
    for limit in ("4GB", "512MB"):
        stalled(limit, given)


def stalled(limit: str, given: argparse.Namespace) -> None:
    """A row for the stalled tap, one for the broker once it was stopped in order, one after its start."""
    settings = {"collect_statistics_interval": "1000", "vm_memory_high_watermark.absolute": limit}
    with PrivateBroker(settings=settings) as server:
        Management(server.management_url, server.user, server.password).set_tracing("/", True)
        memory, disk = node_memory(server), on_disk(server.folder)
        with reading_nothing(server):
            flood(server, given.events, given.size, given.rate)
            time.sleep(12)  # statistics are renewed, what was paged out is written
            row(f"recorder stalled, memory limit {limit}", server, memory, disk)
        server.stop()
        print(f"| - broker stopped | - | - | - | {(on_disk(server.folder) - disk) / MB:,.0f} | {told(server.folder)} |")
        server.start()
        time.sleep(12)
        row("- broker started again", server, memory, disk)


@contextmanager
def reading_nothing(server: PrivateBroker) -> Iterator[None]:
    """The tap's queue, consumed and never acknowledged."""
    queue = TapQueue(from_transport_url(server.transport_url()), "stalled", Limits())
    try:
        queue.bind(frozenset({Binding(FIREHOSE, "#")}))
        queue.consume(lambda *_: None)
        queue.turn(0.1)
        yield
    finally:
        queue.drop()


def flood(server: PrivateBroker, events: int, size: int, rate: float) -> None:
    """Messages that nobody else takes; in mode full each is one event, since it is routed nowhere."""
    body = (MARK * (size // len(MARK) + 1))[:size]
    parameters = pika.URLParameters(server.transport_url().replace("rabbit:", "amqp:"))
    with closing(pika.BlockingConnection(parameters)) as connection:
        channel, began = connection.channel(), time.monotonic()
        for number in range(events):
            channel.basic_publish("amq.topic", "nobody", body)
            if number % 100 == 0:
                connection.process_data_events(max(0.0, began + number / rate - time.monotonic()))


def row(case: str, server: PrivateBroker, memory: int, disk: int) -> None:
    queue = next((one for one in asked(server, "queues") if one["name"] == QUEUE), {})  # a restart takes it away
    print(
        f"| {case} | {queue.get('messages', 0):,} | {queue.get('message_bytes', 0) / MB:,.0f} "
        f"| {(node_memory(server) - memory) / MB:,.0f} | {(on_disk(server.folder) - disk) / MB:,.0f} "
        f"| {told(server.folder)} |",
        flush=True,
    )


def told(folder: Path) -> str:
    """Whether a body can be read in the broker's files."""
    return "yes" if any(MARK in path.read_bytes() for path in stored(folder)) else "no"


def on_disk(folder: Path) -> int:
    """Bytes of the broker's data."""
    return sum(path.stat().st_size for path in stored(folder))


def stored(folder: Path) -> list[Path]:
    return [path for path in (folder / "data").rglob("*") if path.is_file()]


def node_memory(server: PrivateBroker) -> int:
    while not (node := asked(server, "nodes?columns=mem_used")[0]):
        time.sleep(0.5)  # no statistics yet
    return int(node["mem_used"])


def asked(server: PrivateBroker, path: str) -> Any:
    request = urllib.request.Request(
        f"{server.management_url}/api/{path}", headers={"Authorization": server._authorization()}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
