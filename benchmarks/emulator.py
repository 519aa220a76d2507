"""What an emulated call costs beside real oslo.messaging's, and how fast a fleet in its true shape comes up.

    python benchmarks/emulator.py --rounds 5 --seconds 3 --hosts 800 --fleets 2 [--ombt PATH/bin/ombt2]

A private broker. A round takes emulated calls (both sides in one process, confirms and acks included), then calls of a
real oslo.messaging client with a real server in processes of their own. CPU is that of whole processes. Set-up and
memory are those of emulated computes with five connections and seven consumers each, beside a bare loop that connects
and declares one queue. Prints Markdown: medians, and the smallest and largest of the rounds.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.children.cpu import cpu_s
from benchmarks.children.worker import ROOT, Worker
from benchmarks.lean import connecting
from rpcscope.amqp import Where
from rpcscope.private_broker import PrivateBroker

SETTINGS = {"vm_memory_high_watermark.absolute": "6GB", "collect_statistics_interval": "60000"}
BARE = 300
OMBT_CALLS = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each window")
    parser.add_argument("--at-once", type=int, default=4, help="callers")
    parser.add_argument("--hosts", type=int, default=3000, help="of the fleet that is set up")
    parser.add_argument("--fleets", type=int, default=1, help="set up one after the other")
    parser.add_argument("--ombt", default="", help="program ombt2 of ombt 3.0.0, in an environment of its own")
    given = parser.parse_args()
    print(
        f"Python {platform.python_version()}, {given.rounds} rounds of {given.seconds:g} s, {given.at_once} callers\n"
    )
    with PrivateBroker(settings=SETTINGS) as server:
        calls(server, given)
        if given.ombt:
            ombt(server, given.ombt)
        set_up(server, given)


def calls(server: PrivateBroker, given: argparse.Namespace) -> None:
    """CPU and rate of a call."""
    url = server.transport_url("/")
    with (
        Worker("benchmarks.emulating.cloud", **_where(server), hosts=given.at_once) as cloud,
        Worker("benchmarks.calling.server", url=url) as answers,
        Worker("benchmarks.calling.client", url=url, threads=given.at_once, bytes=2000) as client,
    ):
        ways: dict[str, Callable[[], tuple[float, float]]] = {
            "emulated": lambda: _emulated(cloud, given.seconds),
            "oslo.messaging": lambda: _real(client, answers, given.seconds),
        }
        rounds = [{name: way() for name, way in ways.items()} for _ in range(given.rounds + 1)][
            1:
        ]  # the first warms up
        cloud.ask(do="end")
    print("| call | CPU us, both sides | calls per CPU second | of oslo.messaging | calls/s |\n|---|---|---|---|---|")
    for name in ways:
        cpu, rate = ([each[name][part] for each in rounds] for part in (0, 1))
        shares = [each["oslo.messaging"][0] / each[name][0] for each in rounds]
        cells = [name, told([c * 1e6 for c in cpu]), told([1 / c for c in cpu]), told(shares, 1), told(rate)]
        print(f"| {' | '.join(cells)} |")
    print(flush=True)


def ombt(server: PrivateBroker, program: str) -> None:
    """What ombt says of its own calls, with the CPU of all its processes, their start included."""
    command = [program, "--url", server.transport_url("/"), "rpc", "--calls", str(OMBT_CALLS)]
    before = sum(os.times()[2:4])
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    cpu = sum(os.times()[2:4]) - before
    print(f"ombt 3.0.0, {OMBT_CALLS:,} calls: {cpu / OMBT_CALLS * 1e6:,.0f} us of CPU each with its start; it says:\n")
    print(f"```\n{done.stdout.strip()}\n```\n", flush=True)


def set_up(server: PrivateBroker, given: argparse.Namespace) -> None:
    """Rates of set-up, memory."""
    where = Where("127.0.0.1", server.port, "/", server.user, server.password)
    rows: list[tuple[float, float, float]] = []
    bare = [connecting.bare(where, BARE)]
    for _ in range(given.fleets):
        rows.append(_fleet(server, given.hosts))
        bare.append(connecting.bare(where, BARE))
    rates = [count / took for count, took, _ in rows]
    print(f"| {given.hosts:,} computes of 5 connections | |\n|---|---|")
    print(f"| bare loop, connections/s | {told(bare)} |")
    print(f"| emulated, connections/s | {told(rates)} |")
    print(f"| emulated of bare | {told([rate / median(bare) for rate in rates], 2)} |")
    print(f"| memory, B a connection | {told([memory for _, _, memory in rows])} |")


def _emulated(cloud: Worker, seconds: float) -> tuple[float, float]:
    found = cloud.ask(do="call", seconds=seconds)
    return found["cpu_s"] / found["calls"], found["calls"] / found["took_s"]


def _real(client: Worker, server: Worker, seconds: float) -> tuple[float, float]:
    client.ask(do="start")
    before, began = [cpu_s(one.pid) for one in (client, server)], client.ask(do="look")
    time.sleep(seconds)
    after, ended = [cpu_s(one.pid) for one in (client, server)], client.ask(do="stop")
    count = ended["answered"] - began["answered"]
    return (sum(after) - sum(before)) / count, count / (ended["at_s"] - began["at_s"])


def _fleet(server: PrivateBroker, hosts: int) -> tuple[float, float, float]:
    """In a process of its own, so that nothing of an earlier one is in its memory."""
    command = [sys.executable, "-m", "benchmarks.emulating.fleet", str(hosts)]
    told_by_stdin = f"{server.management_url} {server.port} {server.user} {server.password}\n"
    done = subprocess.run(command, cwd=ROOT, input=told_by_stdin, stdout=subprocess.PIPE, text=True, check=True)
    count, took, memory = map(float, done.stdout.split())
    return count, took, memory


def _where(server: PrivateBroker) -> dict[str, object]:
    return {
        "management_url": server.management_url,
        "port": server.port,
        "user": server.user,
        "password": server.password,
    }


def told(values: list[float], digits: int = 0) -> str:
    """Median (smallest - largest)."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f} - {max(values):,.{digits}f})"


if __name__ == "__main__":
    main()
