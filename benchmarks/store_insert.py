"""How fast the store takes calls: rows per second and CPU of the writer, on each database that can be had.

    python benchmarks/store_insert.py --rows 2000000 --databases sqlite,postgresql

The yardstick is the same tuples through sqlite3's executemany into a table without indexes, measured in the same
rounds: on a shared machine a share of the yardstick says more than a rate. Ids are random 32 hex digits, as on the
wire. Servers are private ones without fsync; SQLite syncs each batch. Rates of a round are those of its last fifth
as well, because a small table hides what an index costs.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parents[1]))

from rpcscope.model import Batch, Call
from rpcscope.store import open_store
from rpcscope.store.call_rows import CALL_COLUMNS, call_names, call_rows
from tests.contract.records import SECOND, START, begun, make_call
from tests.support.mariadb import mariadb_server
from tests.support.postgres import postgres_server

BATCH = 5_000
ROUNDS = 5
METHODS = 60
HOSTS = 1_000
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Rate:
    """What one round took."""

    rows: int
    seconds: float
    cpu: float

    @property
    def per_second(self) -> float:
        return self.rows / self.seconds

    @property
    def cpu_us(self) -> float:
        return self.cpu / self.rows * 1e6


def main() -> None:
    arguments = _arguments()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rpcscope-bench-")))
        targets = {"yardstick": lambda: _yardstick(folder, arguments.rows)}
        for name in arguments.databases.split(","):
            targets[name] = _target(name, folder, stack, arguments.rows)
        rounds: dict[str, list[tuple[Rate, Rate]]] = {name: [] for name in targets}
        for number in range(arguments.rounds):
            for name, measure in targets.items():
                rounds[name].append(measure())
                print(f"round {number + 1} of {arguments.rounds}: {name} done", file=sys.stderr)
    _report(rounds, arguments.rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How fast the store takes calls.")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--databases", default="sqlite,postgresql,mariadb")
    return parser.parse_args()


def _target(name: str, folder: Path, stack: ExitStack, rows: int) -> Callable[[], tuple[Rate, Rate]]:
    if name == "sqlite":
        return lambda: _store(str(folder / f"{time.monotonic_ns()}.db"), rows)
    server = stack.enter_context(postgres_server() if name == "postgresql" else mariadb_server())

    def measure() -> tuple[Rate, Rate]:
        url = server.fresh()
        try:
            return _store(url, rows)
        finally:
            server.drop(url)

    return measure


def _store(url: str, rows: int) -> tuple[Rate, Rate]:
    with open_store(url, create=True) as store:
        writer, base = begun(store)

        def write(calls: tuple[Call, ...]) -> None:
            writer.write(Batch(recording_id=base >> 40, calls=calls))

        rates = _measure(_batches(base, rows), write, rows)
    if Path(url).exists():
        Path(url).unlink()
    return rates


def _yardstick(folder: Path, rows: int) -> tuple[Rate, Rate]:
    path = folder / "yardstick.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"CREATE TABLE call (id INTEGER PRIMARY KEY, {', '.join(CALL_COLUMNS[1:])})")
    statement = f"INSERT INTO call VALUES ({', '.join('?' for _ in CALL_COLUMNS)})"

    def write(tuples: list[tuple[int | str | None, ...]]) -> None:
        connection.execute("BEGIN")
        connection.executemany(statement, tuples)
        connection.execute("COMMIT")

    batches = (
        list(call_rows(calls, {text: number for number, text in enumerate(call_names(calls))}))
        for calls in _batches(1 << 40, rows)
    )
    try:
        return _measure(batches, write, rows)
    finally:
        connection.close()
        path.unlink()


def _measure(batches: Iterator[_T], write: Callable[[_T], None], rows: int) -> tuple[Rate, Rate]:
    """The rate over all rows and over the last fifth; making the rows is not in it."""
    steps: list[tuple[float, float]] = []
    for batch in batches:
        wall, cpu = time.perf_counter(), time.process_time()
        write(batch)
        steps.append((time.perf_counter() - wall, time.process_time() - cpu))
    last = steps[-max(1, len(steps) // 5) :]
    return _rate(steps, rows), _rate(last, rows * len(last) // len(steps))


def _rate(steps: list[tuple[float, float]], rows: int) -> Rate:
    return Rate(rows, sum(wall for wall, _ in steps), sum(cpu for _, cpu in steps))


def _batches(base: int, rows: int) -> Iterator[tuple[Call, ...]]:
    chance = random.Random(7)
    number = 0
    while number < rows:
        size = min(BATCH, rows - number)
        yield tuple(_call(base, number + n + 1, chance) for n in range(size))
        number += size


def _call(base: int, number: int, chance: random.Random) -> Call:
    operation = number // 15
    return make_call(
        base + number,
        unique_id=f"{chance.getrandbits(128):032x}",
        msg_id=f"{chance.getrandbits(128):032x}",
        parent_unique_id=f"{chance.getrandbits(128):032x}",
        operation_id=base + operation,
        cause_id=base + max(0, operation - chance.randrange(3)),
        published_ns=START + number * SECOND // 100,
        method=f"method_{chance.randrange(METHODS)}",
        server=f"host-{chance.randrange(HOSTS)}",
    )


def _report(rounds: dict[str, list[tuple[Rate, Rate]]], rows: int) -> None:
    yardstick = median(whole.per_second for whole, _ in rounds["yardstick"])
    print(f"{rows} rows in batches of {BATCH}, median of {len(rounds['yardstick'])} rounds (lowest-highest)")
    print(f"{'':12}{'rows/s':>26}{'of yardstick':>14}{'CPU us/row':>12}{'last fifth: rows/s':>20}{'CPU us/row':>12}")
    for name, rates in rounds.items():
        speeds = sorted(whole.per_second for whole, _ in rates)
        speed = median(speeds)
        spread = f"{speed:,.0f} ({speeds[0]:,.0f}-{speeds[-1]:,.0f})"
        cpu = median(whole.cpu_us for whole, _ in rates)
        last_speed = median(last.per_second for _, last in rates)
        last_cpu = median(last.cpu_us for _, last in rates)
        print(f"{name:12}{spread:>26}{speed / yardstick:>13.0%} {cpu:>12.1f}{last_speed:>20,.0f}{last_cpu:>12.1f}")


if __name__ == "__main__":
    main()
