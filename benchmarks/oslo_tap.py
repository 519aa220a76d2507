"""What the tap inside services costs: CPU within its hooks, and real calls under the wrapped and the plain driver.

    python benchmarks/oslo_tap.py --calls 3000 --rounds 6 --seconds 4

Hooks: a real oslo.messaging client and server in this process; each hook's CPU is that of its thread, the timer's own
taken off. A/B: two pairs of processes, plain and wrapped, take turns; CPU is that of whole processes as the kernel
counts it, so the thread that tells is in it. A listener takes everything. On a shared machine trust the hooks and the
differences of neighbours.
"""

from __future__ import annotations

import argparse
import functools
import os
import platform
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.children.cpu import cpu_s
from benchmarks.children.worker import Worker
from rpcscope.private_broker import PrivateBroker
from rpcscope_collectors.listen_address import listen_address
from rpcscope_collectors.listener import Listener
from rpcscope_oslo_tap.tap import Tap
from tests.support import oslo_tap as inside

THREADS, ARGUMENT_BYTES = 4, 2000
WARM_S = 1.0
HOOKS = (
    "sending", "sent", "attempt", "confirmed", "waited", "answered", "received", "started", "ended", "finished",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="What the tap inside services costs.")
    parser.add_argument("--calls", type=int, default=3000, help="timed inside the hooks")
    parser.add_argument("--rounds", type=int, default=6, help="of plain and wrapped in turn")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each window")
    given = parser.parse_args()
    machine = f"{os.cpu_count()} cores with a load of {os.getloadavg()[1]:.1f}, Python {platform.python_version()}"
    print(f"Real oslo.messaging calls, {ARGUMENT_BYTES:,} bytes of arguments; {machine}\n")
    with tempfile.TemporaryDirectory(prefix="rpcscope-bench-") as name, PrivateBroker(Path(name)) as broker:
        address = f"unix:{name}/tap.sock"
        with Listener([listen_address(address)]) as listener, _taken(listener):
            url = broker.transport_url("/")
            _hooks(inside.wrapped(url), address, given.calls)
            _both(url, f"{inside.wrapped(url)}?rpcscope_tap={address}", given.rounds, given.seconds)


@contextmanager
def _taken(listener: Listener) -> Iterator[None]:
    """Somebody takes what the listener hears."""
    ended = threading.Event()

    def take() -> None:
        while not ended.wait(0.05):
            listener.take(100_000)

    thread = threading.Thread(target=take)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _hooks(url: str, address: str, calls: int) -> None:
    spent: Counter[str] = Counter()
    entered: Counter[str] = Counter()
    for name in HOOKS:
        setattr(Tap, name, _timed(getattr(Tap, name), name, spent, entered))
    with inside.told_to(address), inside.server(url), inside.transport(url) as asked:
        rpc = inside.client(asked)
        for number in range(100 + calls):
            if number == 100:
                spent.clear()
                entered.clear()
            rpc.call(inside.context(number), "ping", arg="x" * ARGUMENT_BYTES)
    timer_ns = _timer_ns()
    costs = {name: (spent[name] - entered[name] * timer_ns) / calls / 1e3 for name in HOOKS}
    print(f"| hook | CPU us/call, {calls:,} calls |\n|---|---|")
    for name, cost in costs.items():
        print(f"| {name} | {cost:.1f} |")
    print(f"| all, client and server | {sum(costs.values()):.1f} |\n")


def _timed(real: Callable[..., Any], name: str, spent: Counter[str], entered: Counter[str]) -> Callable[..., Any]:
    @functools.wraps(real)
    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.thread_time_ns()
        try:
            return real(*args, **kwargs)
        finally:
            spent[name] += time.thread_time_ns() - began
            entered[name] += 1

    return timed


def _timer_ns() -> float:
    """What the timer itself adds."""
    spent: Counter[str] = Counter()
    nothing = _timed(lambda *_: None, "", spent, Counter())
    for _ in range(20_000):
        nothing(None, None)
    return spent[""] / 20_000


def _both(plain: str, wrapped: str, rounds: int, seconds: float) -> None:
    pairs = {name: _pair(url) for name, url in (("plain", plain), ("wrapped", wrapped))}
    try:
        costs: dict[str, list[float]] = {name: [] for name in pairs}
        for _ in range(rounds):
            for name, (server, client) in pairs.items():
                costs[name].append(_window(server, client, seconds))
    finally:
        for server, client in pairs.values():
            client.close()
            server.close()
    more = [wrapped - plain for plain, wrapped in zip(costs["plain"], costs["wrapped"], strict=True)]
    print(f"| both processes, {rounds} rounds of {seconds:g} s | CPU us/call, median (lowest-highest) |\n|---|---|")
    for name, values in (*costs.items(), ("wrapped - plain of the same round", more)):
        print(f"| {name} | {median(values):,.0f} ({min(values):,.0f}-{max(values):,.0f}) |")


def _pair(url: str) -> tuple[Worker, Worker]:
    server = Worker("benchmarks.calling.server", url=url)
    return server, Worker("benchmarks.calling.client", url=url, threads=THREADS, bytes=ARGUMENT_BYTES)


def _window(server: Worker, client: Worker, seconds: float) -> float:
    client.ask(do="start")
    time.sleep(WARM_S)
    before, began = cpu_s(server.pid) + cpu_s(client.pid), client.ask(do="look")
    time.sleep(seconds)
    after, ended = cpu_s(server.pid) + cpu_s(client.pid), client.ask(do="look")
    client.ask(do="stop")
    return (after - before) / (ended["answered"] - began["answered"]) * 1e6


if __name__ == "__main__":
    main()
