"""The process that starts a fleet in its true shape, and tells how fast and with how much memory."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from pathlib import Path

from rpcscope.emulator.bus_world import BusWorld
from rpcscope.emulator.management import Management
from rpcscope.emulator.vhost import OwnVhost
from rpcscope.templates.files import load

BACKGROUND = sorted(Path("rpcscope/templates/nova-34").glob("periodic-*.yaml"))


async def start(own: OwnVhost, hosts: int) -> tuple[int, float, float]:
    """Connections, seconds, bytes of memory for each."""
    templates = [load(path) for path in BACKGROUND]
    async with BusWorld(own, ["first"], templates):
        gc.collect()
    before, began = _resident(), time.perf_counter()
    async with BusWorld(own, [f"compute-{number:04}" for number in range(hosts)], templates) as world:
        took = time.perf_counter() - began
        gc.collect()
        return world.connections, took, (_resident() - before) / world.connections


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def main() -> None:
    """Hosts are the argument; where the broker is comes by stdin."""
    url, port, user, password = sys.stdin.readline().split()
    with OwnVhost(Management(url, user, password), "bench", host="127.0.0.1", port=int(port), username=user,
                  password=password) as own:  # fmt: skip
        print(*asyncio.run(start(own, int(sys.argv[1]))))


if __name__ == "__main__":
    main()
