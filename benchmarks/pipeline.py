"""What an event costs on its way into the store: CPU microseconds, beside two yardsticks of the same run.

    python benchmarks/pipeline.py --rows 2000000

A store is filled with calls first, because a small table hides what an index costs. Then, round by round, each step
takes the same number of events: real bodies and headers whose ids never repeat (traffic.py). Making the traffic is not
in the figures. The yardsticks are `orjson.loads` of both layers of a body, and pika's consumer with an empty callback
(prefetch 1000, an ack for 250) on a private RabbitMQ. The rest is SQLite, one transaction for 2,000 events, each synced
to the disk. On a shared machine trust the ratios, not the times.
"""

from __future__ import annotations

import argparse
import gc
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

import orjson
import pika

from benchmarks.traffic import Traffic
from benchmarks.wire.consumer import PikaYardstick
from rpcscope.decode import Decoder
from rpcscope.garbage import seldom_collected
from rpcscope.model import Batch, Observation, Sighting
from rpcscope.pipeline import Recorder
from rpcscope.private_broker import PrivateBroker
from rpcscope.rules import load_rules
from rpcscope.store import Store, open_store
from rpcscope.store.writer import SqlWriter

BATCH = 2_000
EVENTS = 50_000  # that each step takes in a round
PIKA = "pika consumes"


class Timed:
    """A sink that tells what storing took."""

    def __init__(self, writer: SqlWriter) -> None:
        self._writer = writer
        self.cpu = 0.0
        self.rows = 0

    def write(self, batch: Batch) -> None:
        began = time.process_time()
        self._writer.write(batch)
        self.cpu += time.process_time() - began
        self.rows += len(batch.calls)


class Fed:
    """A source that yields what was made before."""

    def __init__(self, sightings: list[Sighting]) -> None:
        self._sightings = sightings

    def batches(self, max_events: int = BATCH, max_wait_s: float = 0.5) -> Iterator[list[Sighting]]:
        for start in range(0, len(self._sightings), max_events):
            yield self._sightings[start : start + max_events]

    def ack(self) -> None:
        """Nothing keeps what was stored."""


class Pipeline:
    """A recorder with its store."""

    def __init__(self, store: Store) -> None:
        writer = store.writer()
        resume = writer.start(
            source="firehose", scope="benchmark", digest="", label="", tap_mode="full", conditions="", started_ns=0
        )
        self._traffic = Traffic()
        self.sink = Timed(writer)
        self._recorder = Recorder(self.sink, resume, load_rules())
        self._recorder.run(Fed(list(self._traffic.topologies)))

    def take(self, events: list[Observation]) -> None:
        """One batch."""
        self._recorder.run(Fed(list(events)))

    def fill(self, rows: int) -> Iterator[int]:
        """Store calls until there are `rows`; resident memory in KB at a tenth, the half and the end."""
        for share in (0.1, 0.5, 1):
            while self.sink.rows < rows * share:
                self.take(self._traffic.take(BATCH))
            yield resident_kb()

    def measure(self) -> tuple[float, float]:
        """CPU seconds of the events of one round: decode and correlate, and with the store."""
        stored = self.sink.cpu
        whole = _cpu(self.take, self._traffic)
        return whole - (self.sink.cpu - stored), whole


def resident_kb() -> int:
    """Memory of this process that is in RAM."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="rpcscope-bench-") as folder, PrivateBroker(Path(folder)) as broker:
        path = Path(folder) / "store.db"
        with open_store(str(path), create=True) as store:
            pipeline = Pipeline(store)
            memory = [kb / 1024 for kb in pipeline.fill(arguments.rows)]
            print(f"filled with {pipeline.sink.rows:,} calls, {path.stat().st_size / 2**20:,.0f} MiB", file=sys.stderr)
            rounds = _rounds(pipeline, PikaYardstick(broker), arguments.rounds)
        _report(rounds, arguments.rows, memory)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What an event costs on its way into the store.")
    parser.add_argument("--rows", type=int, default=100_000, help="calls stored before anything is measured")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def _rounds(pipeline: Pipeline, yardstick: PikaYardstick, count: int) -> dict[str, list[float]]:
    """CPU microseconds of an event, of each step in each round."""
    traffic, decoder = Traffic(8), Decoder(load_rules())
    took: dict[str, list[float]] = {}

    def note(step: str, cpu: float) -> None:
        took.setdefault(step, []).append(cpu / EVENTS * 1e6)

    for number in range(count):
        note("orjson twice", _cpu(_each(_parse), traffic))
        note(PIKA, yardstick.measure(islice(traffic.events, EVENTS)))
        note("decode", _cpu(_each(decoder.decode), traffic))
        correlated, stored = pipeline.measure()
        note("decode, correlate", correlated)
        note("decode, correlate, store", stored)
        print(f"round {number + 1} of {count} done", file=sys.stderr)
    return took


def _parse(seen: Observation) -> None:
    orjson.loads(orjson.loads(seen.body)["oslo.message"])


def _each(step: Callable[[Observation], object]) -> Callable[[list[Observation]], None]:
    def all_of(events: list[Observation]) -> None:
        for seen in events:
            step(seen)

    return all_of


def _cpu(step: Callable[[list[Observation]], None], traffic: Traffic) -> float:
    """CPU seconds of a step for the events of one round. Batches are made one by one, as a tap has no more of them
    in memory, and without garbage collection, so that all of it is in the figure."""
    cpu = 0.0
    with seldom_collected():  # as in a recorder
        for _ in range(EVENTS // BATCH):
            gc.disable()
            events = traffic.take(BATCH)
            gc.enable()
            began = time.process_time()
            step(events)
            cpu += time.process_time() - began
    return cpu


def _report(rounds: dict[str, list[float]], rows: int, memory: list[float]) -> None:
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, pika {pika.__version__}"
    print(f"CPU of an event on top of {rows:,} stored calls, median of {len(rounds[PIKA])} rounds; {versions}")
    print(f"{'':26}{'us':>7}{'lowest-highest':>17}{'of pika':>9}{'of orjson':>11}{'events/s of a core':>20}")
    for step, all_us in rounds.items():
        us = median(all_us)
        spread = f"{min(all_us):.1f}-{max(all_us):.1f}"
        ratios = [median(a / b for a, b in zip(all_us, rounds[other], strict=True)) for other in (PIKA, "orjson twice")]
        print(f"{step:26}{us:>7.1f}{spread:>17}{ratios[0]:>9.2f}{ratios[1]:>11.1f}{1e6 / us:>20,.0f}")
    tenth, half, end = memory
    print(f"memory at 10 %, 50 %, 100 % of the calls: {tenth:.0f}, {half:.0f}, {end:.0f} MiB")


if __name__ == "__main__":
    main()
