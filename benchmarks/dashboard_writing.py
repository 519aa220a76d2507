"""How long the dashboard takes while a recorder writes into the same store, and whether all of it arrives.

    python benchmarks/dashboard_writing.py --rate 4000 store.sqlite      # as stores/big.py filled it

The writer is a process of its own, with the real Writer: a batch every quarter of a second, at so many calls a second.
A few pages are asked before and meanwhile. At the end every call that was written must be stored.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from itertools import count
from multiprocessing import Event, Process, Value
from pathlib import Path
from statistics import quantiles
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.stores.big import BEGIN_NS, fill
from rpcscope.model import Batch
from rpcscope.store import open_store
from tests.contract.records import begun, make_call
from tests.unit.web.site import Web, client

PATHS = ("/", "/operations", "/services", "/api/v1/overview", "/api/v1/methods", "/api/v1/figures/rates")
EVERY_S = 0.25
ROUNDS = 15
CALLS = 200_000


def main() -> None:
    parser = argparse.ArgumentParser(description="The dashboard while a recorder writes.")
    parser.add_argument("database", nargs="?")
    parser.add_argument("--rate", type=int, default=4_000, help="calls a second")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        database = arguments.database or str(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "store.sqlite")
        store = stack.enter_context(open_store(database, create=True))
        if arguments.database is None:
            fill(store, CALLS)
        web = stack.enter_context(client(store))
        before = store.reader().counts()["call"]
        alone = {path: _p95(web, path) for path in PATHS}
        stop, written, late = Event(), Value("q", 0), Value("d", 0.0)
        writer = Process(target=_write, args=(database, arguments.rate, stop, written, late))
        writer.start()
        while not written.value:
            time.sleep(EVERY_S)
        beside = {path: _p95(web, path) for path in PATHS}
        stop.set()
        writer.join()
        stored = store.reader().counts()["call"] - before
    print(f"{arguments.rate:,} calls a second, up to {late.value:.2f} s late: ", end="")
    print(f"{written.value:,} were written, {stored:,} are stored")
    print("| ms, p95 | alone | while it is written | ratio |\n|---|---|---|---|")
    for path in PATHS:
        ratio = beside[path] / alone[path]
        print(f"| `{path}` | {alone[path] * 1e3:.0f} | {beside[path] * 1e3:.0f} | {ratio:.1f} |")
    if stored != written.value:
        raise SystemExit("calls were lost")


def _p95(web: Web, path: str) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = web.get(path)
        times.append(time.perf_counter() - began)
        assert answer.status_code == 200, (path, answer.text[:200])
    return quantiles(times, n=20, method="inclusive")[-1]


def _write(database: str, rate: int, stop: Any, written: Any, late: Any) -> None:
    """Calls on time; what is late is caught up with."""
    with open_store(database) as store:
        writer, base = begun(store, started_ns=BEGIN_NS)
        numbers, size, due = count(1), int(rate * EVERY_S), time.monotonic()
        while not stop.is_set():
            at_ns = _now_ns()
            calls = tuple(make_call(base + next(numbers), published_ns=at_ns + n) for n in range(size))
            writer.write(Batch(recording_id=base >> 40, calls=calls, last_ns=at_ns))
            written.value += size
            due += EVERY_S
            late.value = max(late.value, time.monotonic() - due)
            time.sleep(max(0.0, due - time.monotonic()))


def _now_ns() -> int:
    """A time within those of the store, that each batch moves on."""
    return BEGIN_NS + time.monotonic_ns() % (86_400 * 10**9)


if __name__ == "__main__":
    main()
