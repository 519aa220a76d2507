"""What a tap costs real oslo.messaging calls and the broker: each mode beside the untapped calls around it.

    python benchmarks/tapping.py --rounds 5 --seconds 3

A private broker; a server and a client of four threads, real oslo.messaging in processes of their own, that call as
fast as they can with 2 KB of arguments; `rpcscope record` in a process of its own into SQLite. A round takes every mode
in turn, with untapped calls before and after each. CPU is that of whole processes as the kernel counts it. Rates tell
what is left of a machine that broker, services and recorder saturate together: on a larger one the recorder, which may
run anywhere, takes nothing from the services. On a shared machine trust the CPU and the ratios.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.children.cpu import cpu_s, vm_pid
from benchmarks.children.worker import Worker
from rpcscope.private_broker import PrivateBroker
from tests.support.cli import Cli, Running, new_cli
from tests.support.rabbitmq import Cloud
from tests.support.recording import broker_options

THREADS, ARGUMENT_BYTES = 4, 2000
WARM_S = 1.0
UNTAPPED = "untapped"
NICE = 19
Tapping = Callable[[], AbstractContextManager["Running | None"]]
Column = Callable[["Cost", "Cost", "Cost"], float]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one call, in one window: seconds of each, and how many calls there were a second."""

    rate: float
    broker: float
    services: float
    recorder: float
    waiting: int  # events in the tap's queue at its end

    @property
    def all(self) -> float:
        """Of every process."""
        return self.broker + self.services + self.recorder


def _of_neighbours(what: Callable[[Cost], float]) -> Column:
    return lambda own, before, after: 2 * what(own) / (what(before) + what(after))


COLUMNS: dict[str, tuple[str, Column]] = {
    "calls/s of untapped": ("{:.2f}", _of_neighbours(lambda cost: cost.rate)),
    "calls/s": ("{:,.0f}", lambda own, *_: own.rate),
    "broker CPU us/call": ("{:,.0f}", lambda own, *_: own.broker * 1e6),
    "of untapped": ("{:.2f}", _of_neighbours(lambda cost: cost.broker)),
    "recorder CPU us/call": ("{:,.0f}", lambda own, *_: own.recorder * 1e6),
    "services CPU us/call": ("{:,.0f}", lambda own, *_: own.services * 1e6),
    "all CPU of untapped": ("{:.2f}", _of_neighbours(lambda cost: cost.all)),
    "events waiting": ("{:,.0f}", lambda own, *_: own.waiting),
}
"""What is shown of a window, beside the untapped ones before and after it."""


class Bench:
    """A broker with its services, measured window by window."""

    def __init__(self, cloud: Cloud, seconds: float) -> None:
        """Starts server and client."""
        url = cloud.server.transport_url(cloud.vhost)
        self._cloud, self._seconds, self._vm = cloud, seconds, vm_pid(cloud.server)
        self._server = Worker("benchmarks.calling.server", url=url)
        self._client = Worker("benchmarks.calling.client", url=url, threads=THREADS, bytes=ARGUMENT_BYTES)

    def measure(self, tapping: Tapping) -> Cost:
        """One window of calls."""
        with tapping() as recorder:
            self._client.ask(do="start")
            time.sleep(WARM_S)
            pids = [self._vm, self._server.pid, self._client.pid, *([recorder.process.pid] if recorder else [])]
            before, began = [cpu_s(pid) for pid in pids], self._client.ask(do="look")
            time.sleep(self._seconds)
            after, ended = [cpu_s(pid) for pid in pids], self._client.ask(do="look")
            waiting = self._waiting() if recorder else 0
            self._client.ask(do="stop")
        calls = ended["answered"] - began["answered"]
        vm, server, client, *rest = ((b - a) / calls for a, b in zip(before, after, strict=True))
        return Cost(calls / (ended["at_s"] - began["at_s"]), vm, server + client, sum(rest), waiting)

    def close(self) -> None:
        """Ends server and client."""
        self._client.close()
        self._server.close()

    def _waiting(self) -> int:
        with self._cloud.connect("benchmark") as connection:
            return int(connection.channel().queue_declare("rpcscope.tap.default", passive=True).method.message_count)


def main() -> None:
    parser = argparse.ArgumentParser(description="What a tap costs real oslo.messaging calls and the broker.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each window")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rpcscope-bench-") as name, PrivateBroker(Path(name)) as server:
        cloud = Cloud(server, "/", Path(name) / "state")
        bench = Bench(cloud, given.seconds)
        try:
            rounds = [_round(bench, _modes(cloud, new_cli(Path(name))), n + 1) for n in range(given.rounds)]
        finally:
            bench.close()
    _report(rounds)


def _modes(cloud: Cloud, cli: Cli) -> dict[str, Tapping]:
    """Every way of tapping, the cheapest first."""
    recorded = partial(_recorded, cloud, cli)
    return {
        "traced, no tap": partial(_traced, cloud),
        "bindings": partial(recorded, "bindings"),
        "publish": partial(recorded, "publish"),
        "control": partial(recorded, "control"),
        f"control, recorder at nice {NICE}": partial(recorded, "control", nice=NICE),
        "full": partial(recorded, "full"),
    }


def _round(bench: Bench, modes: dict[str, Tapping], number: int) -> dict[str, list[Cost]]:
    """Of each mode its own cost, and those of the untapped windows before and after it."""
    before, found = bench.measure(nullcontext), dict[str, list[Cost]]()
    for name, tapping in modes.items():
        cost, after = bench.measure(tapping), bench.measure(nullcontext)
        found[name] = [cost, before, after]
        before = after
        print(f"round {number}: {name}: {cost}, then untapped {after}", file=sys.stderr)
    return found


@contextmanager
def _traced(cloud: Cloud) -> Iterator[None]:
    cloud.management.set_tracing(cloud.vhost, True)
    yield
    cloud.management.set_tracing(cloud.vhost, False)


@contextmanager
def _recorded(cloud: Cloud, cli: Cli, mode: str, *, nice: int = 0) -> Iterator[Running]:
    with cli.running("record", *broker_options(cloud), "--mode", mode) as recorder:
        recorder.wait_for("rpcscope: recording")
        for thread in Path(f"/proc/{recorder.process.pid}/task").iterdir():
            os.setpriority(os.PRIO_PROCESS, int(thread.name), nice)
        yield recorder
        done = recorder.end()
        if done.code or "blind" in done.err:
            raise RuntimeError(f"The recorder did not see everything: {done.err}")


def _report(rounds: list[dict[str, list[Cost]]]) -> None:
    calls = f"Real oslo.messaging calls of {THREADS} threads, {ARGUMENT_BYTES:,} bytes of arguments"
    machine = f"{os.cpu_count()} cores with a load of {os.getloadavg()[1]:.1f}, Python {platform.python_version()}"
    print(f"{calls}; {machine}; median (lowest-highest) of {len(rounds)} rounds\n")
    print(f"| | {' | '.join(COLUMNS)} |")
    print("|---" * (1 + len(COLUMNS)) + "|")
    untapped = [after for found in rounds for _, _, after in found.values()]
    _row(UNTAPPED, [[cost] * 3 for cost in untapped])
    for name in rounds[0]:
        _row(name, [found[name] for found in rounds])


def _row(name: str, windows: list[list[Cost]]) -> None:
    cells = []
    for shape, column in COLUMNS.values():
        values = [column(*costs) for costs in windows]
        middle, low, high = (shape.format(value) for value in (median(values), min(values), max(values)))
        cells.append(f"{middle} ({low}-{high})")
    print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
