"""What looking at all queues costs: wall time, broker CPU and own CPU of one poll, for each source.

    python benchmarks/queues.py --queues 2000,10000,20000

A private broker gets so many idle classic queues, named as computes name them. Rounds take every source in turn. Broker
CPU is that of the Erlang VM as the kernel counts it, less what it spent idle in the same time; the kernel counts in
ticks of 10 ms.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

import pika

from benchmarks.children.cpu import cpu_s, vm_pid
from rpcscope.private_broker import PrivateBroker
from rpcscope_collectors.prometheus import Prometheus
from rpcscope_collectors.queue_api import QueueApi
from rpcscope_collectors.queues import Pace
from tests.support.queues import wait_for, watched_broker

ROUNDS = 5
SETTLE_S = 10.0
SETTINGS = {"vm_memory_high_watermark.absolute": "6GB", "collect_statistics_interval": "5000"}


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds that one poll took."""

    wall: float
    broker: float
    own: float


def main() -> None:
    parser = argparse.ArgumentParser(description="What looking at all queues costs.")
    parser.add_argument("--queues", default="2000", help="how many, separated by commas, rising")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    server, url = watched_broker(**SETTINGS)
    print("| queues | source | poll ms | broker CPU ms | own CPU ms | interval at 2 % of a core, s |")
    print("|---|---|---|---|---|---|")
    with server:
        made = 0
        for count in map(int, arguments.queues.split(",")):
            _declare(server, made, count)
            made = count
            _measure(server, url, count, arguments.rounds)


def _measure(server: PrivateBroker, url: str, count: int, rounds: int) -> None:
    api = QueueApi(server.management_url, server.user, server.password, timeout_s=120)
    metrics = Prometheus(url, timeout_s=120)
    sources: dict[str, Callable[[], object]] = {
        "metrics": lambda: len(metrics.queues("/")),
        "metrics with memory": lambda: len(metrics.queues("/", memory=True)),
        "management API": lambda: len(api.samples("/")),
        "management API, facts only": lambda: len(api.facts("/")),
    }
    wait_for(lambda: all(source() == count for source in sources.values()), within_s=120)
    pid = vm_pid(server)
    idle = _idle(pid)
    costs: dict[str, list[Cost]] = {name: [] for name in sources}
    for number in range(rounds):
        for name, source in sources.items():
            costs[name].append(_cost(source, pid, idle))
        print(f"{count} queues: round {number + 1} of {rounds} done", file=sys.stderr)
    for name, found in costs.items():
        _report(count, name, found)


def _cost(source: Callable[[], object], pid: int, idle: float) -> Cost:
    broker, own, began = cpu_s(pid), time.thread_time(), time.monotonic()
    source()
    own, wall = time.thread_time() - own, time.monotonic() - began
    time.sleep(1.0)  # what the broker clears up afterwards is its cost, too
    whole = time.monotonic() - began
    return Cost(wall, max(0.0, cpu_s(pid) - broker - idle * whole), own)


def _report(count: int, name: str, costs: list[Cost]) -> None:
    walls, brokers, owns = ([getattr(cost, word) for cost in costs] for word in ("wall", "broker", "own"))
    interval = Pace().interval_ns(round(median(walls) * 1e9)) / 1e9
    print(
        f"| {count:,} | {name} | {_spread(walls)} | {_spread(brokers)} | {_spread(owns)} | {interval:.0f} |", flush=True
    )


def _spread(seconds: list[float]) -> str:
    return f"{median(seconds) * 1e3:,.0f} ({min(seconds) * 1e3:,.0f}-{max(seconds) * 1e3:,.0f})"


def _declare(server: PrivateBroker, first: int, last: int) -> None:
    credentials = pika.PlainCredentials(server.user, server.password)
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", server.port, "/", credentials))
    channel = connection.channel()
    for name in _names(first, last):
        channel.queue_declare(name)
    connection.close()


def _names(first: int, last: int) -> Iterator[str]:
    shapes = ("compute.host-{0}", "reply_{0:032x}", "compute_fanout_{0:032x}", "reply_{0:031x}f")
    return (shapes[number % len(shapes)].format(number) for number in range(first, last))


def _idle(pid: int) -> float:
    """CPU seconds a second that the broker spends on nothing."""
    before, began = cpu_s(pid), time.monotonic()
    time.sleep(SETTLE_S)
    return (cpu_s(pid) - before) / (time.monotonic() - began)


if __name__ == "__main__":
    main()
