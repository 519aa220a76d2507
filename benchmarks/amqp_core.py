"""What a message and a connection cost the AMQP core, beside the least that a socket costs, and beside pika.

    python benchmarks/amqp_core.py --rounds 5 --messages 20000 --connections 2000

A private broker. A round takes each way in turn; CPU is this process's, user and system, so the kernel's part of a
write is in it. Messages have 2 KB and an id patched in. Prints Markdown: medians, and the smallest and largest of the
rounds. Setting up is the broker's work nearly all: each rate stands beside those of the bare loop before and after it.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.lean import connecting, consuming, publishing
from rpcscope.amqp import Where
from rpcscope.private_broker import PrivateBroker

SETTINGS = {"vm_memory_high_watermark.absolute": "3GB", "collect_statistics_interval": "60000"}
Way = Callable[[Where, int, int], float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=20_000, help="of a round, for each way")
    parser.add_argument("--size", type=int, default=2_000, help="bytes of a body")
    parser.add_argument("--set-up", type=int, default=300, help="connections of a round")
    parser.add_argument("--connections", type=int, default=2_000, help="of the memory measured")
    given = parser.parse_args()
    print(
        f"Python {platform.python_version()}, {given.rounds} rounds of {given.messages:,} messages of {given.size:,} B"
    )
    print()
    with PrivateBroker(settings=SETTINGS) as server:
        where = Where("127.0.0.1", server.port, "/", server.user, server.password)
        publishing.sink(where)
        costs("publish", publishing.WAYS, where, given)
        costs("consume, each acknowledged", consuming.WAYS, where, given)
        connections(where, given)


def costs(what: str, ways: dict[str, Way], where: Where, given: argparse.Namespace) -> None:
    """A table of CPU per message, and each way's share of the first, taken round by round."""
    rounds = [
        {name: way(where, given.size, given.messages) / given.messages * 1e6 for name, way in ways.items()}
        for _ in range(given.rounds)
    ]
    print(f"| {what} | CPU us a message | of {' | of '.join(list(ways)[:2])} |\n|---|---|---|---|")
    for name in ways:
        shares = (told([each[name] / each[other] for each in rounds], 2) for other in list(ways)[:2])
        print(f"| {name} | {told([each[name] for each in rounds], 2)} | {' | '.join(shares)} |")
    print(flush=True)


def connections(where: Where, given: argparse.Namespace) -> None:
    """Rates of set-up, and memory."""
    bare, ours = [connecting.bare(where, given.set_up)], list[float]()
    for _ in range(given.rounds):
        ours.append(connecting.ours(where, given.set_up))
        bare.append(connecting.bare(where, given.set_up))
    shares = [2 * own / (before + after) for own, before, after in zip(ours, bare, bare[1:], strict=False)]
    print("| connection and queue | a second |\n|---|---|")
    print(f"| bare loop | {told(bare, 0)} |\n| rpcscope.amqp | {told(ours, 0)} |")
    print(f"| share of the bare loop | {told(shares, 2)} |\n", flush=True)
    held = connecting.held(where, given.connections)
    print(f"Memory of a connection with a consumer, at {given.connections:,}:")
    print(f"{held.resident:,.0f} B resident, {held.traced:,.0f} B traced.")


def told(values: list[float], digits: int) -> str:
    """Median (smallest - largest)."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f} - {max(values):,.{digits}f})"


if __name__ == "__main__":
    main()
