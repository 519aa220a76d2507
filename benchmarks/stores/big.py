"""Fills a store with a month of a cloud: the recorded operations again and again, each with ids of its own.

    python benchmarks/stores/big.py store.sqlite --calls 10000000
    python benchmarks/stores/big.py postgresql://user@host/empty --calls 1000000

A play is one of the captures of nova 34, begun at a random moment of the time, somewhat faster or slower, on computes
of its own. Rows are those that the writer stores, put in by its own way of inserting; nothing is decoded again.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from sqlalchemy import insert, select, text

from rpcscope.model import Batch, Counters, FamilySample, QueuePoll, QueueSample
from rpcscope.store import Store, open_store
from rpcscope.store.bulk import CallRow, insert_calls
from rpcscope.store.call_rows import CALL_COLUMNS
from rpcscope.store.database import Database
from rpcscope.store.schema import call, name, operation_instance, operation_part, process
from tests.support.dashboard import CAPTURES, import_captures

DAYS = 30
FLEETS = 40  # copies of the recorded computes
BEGIN_NS = 1_790_000_000 * 10**9
BATCH = 20_000
ID_BITS = 40
_DAY_NS = 86_400 * 10**9
_PLACE = {column: place for place, column in enumerate(CALL_COLUMNS)}
_TIMES = tuple(
    _PLACE[f"{word}_ns"] for word in ("first", "published", "delivered", "replied", "reply_delivered", "last")
)
_IDS = tuple(_PLACE[word] for word in ("operation_id", "cause_id", "parent_id"))
_PROCESSES = tuple(_PLACE[word] for word in ("from_process", "to_process"))
_TEXTS = tuple(_PLACE[word] for word in ("unique_id", "msg_id", "parent_unique_id"))
_NUMBERED = ("id", "owed_call")
_OF_PROCESSES = 100_000  # numbers that the processes of one fleet have
_OF_CAPTURE = 1_000  # of these, numbers that the processes of one capture have
_LOW = (1 << ID_BITS) - 1
_POLL_NS = 30 * 10**9
_POLLS_A_BATCH = 500
_FAMILIES = ("conductor", "scheduler", "compute.*", "reply_*", "conductor_fanout_*", "compute_fanout_*")
_QUEUES = ("conductor", "scheduler", *(f"compute.compute-{number}" for number in range(30)), "notifications.info")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Play:
    """The rows of one capture, with times since its beginning and numbers from 1."""

    calls: tuple[CallRow, ...]
    operations: tuple[Row, ...]
    instances: tuple[Row, ...]
    lasts_ns: int
    numbers: int  # more than any number in it


class Filling:
    """Rows that wait for the next insert into one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._calls: list[CallRow] = []
        self._operations: list[Row] = []
        self._instances: list[Row] = []
        self.stored = 0

    def add(self, play: Play, base: int, start_ns: int, chance: random.Random) -> None:
        """One play of the recording whose numbers go on after `base`."""
        recording = base >> ID_BITS << ID_BITS
        mark, pace = f"{chance.getrandbits(40):010x}", chance.uniform(0.7, 1.4)
        fleet = recording + chance.randrange(FLEETS) * _OF_PROCESSES
        self._calls += [_call(row, base, fleet, mark, start_ns, pace) for row in play.calls]
        self._operations += [_operation(row, base, fleet, mark, start_ns, pace) for row in play.operations]
        self._instances += [
            {"operation_id": base + row["operation_id"], "instance": _marked(row["instance"], mark)}
            for row in play.instances
        ]
        if len(self._calls) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Stores what waits."""
        with self._database.writing() as connection:
            insert_calls(connection, self._calls)
            if self._operations:
                connection.execute(insert(operation_part), self._operations)
            if self._instances:
                connection.execute(insert(operation_instance), self._instances)
        self.stored += len(self._calls)
        self._calls, self._operations, self._instances = [], [], []


def fill(store: Store, calls: int, *, days: int = DAYS, seed: int = 7) -> None:
    """Stores about so many calls, over so many days, as one recording of a broker that ended."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="rpcscope-big-") as folder:
        with open_store(str(Path(folder) / "recorded.sqlite"), create=True) as recorded:
            import_captures(recorded, *sorted(CAPTURES.glob("*.zst")))
            plays, names, processes = _plays(recorded), _names(recorded), _rows(recorded, process)
        number = _begin(store, names, processes)
        each = sum(len(play.calls) for play in plays) / len(plays)
        starts = sorted(chance.random() for _ in range(round(calls / each)))
        filling, base, last_ns = Filling(store._database), number << ID_BITS, 0
        for place in starts:
            play, start_ns = chance.choice(plays), BEGIN_NS + int(place * days * _DAY_NS)
            filling.add(play, base, start_ns, chance)
            base += play.numbers
            last_ns = max(last_ns, start_ns + play.lasts_ns)
        filling.flush()
        sample(store, number, days)
        _end(store, number, filling.stored, last_ns)


def sample(store: Store, number: int, days: int) -> None:
    """What the queue tap of such a recorder sees in that time: depths that go up and down, every half minute."""
    writer, polls = store.writer(), days * _DAY_NS // _POLL_NS
    for start in range(0, polls, _POLLS_A_BATCH):
        batch = range(start, min(start + _POLLS_A_BATCH, polls))
        writer.write(
            Batch(
                recording_id=number,
                queue_polls=tuple(_poll(one) for one in batch),
                family_samples=tuple(_family(one, family) for one in batch for family in _FAMILIES),
                queue_samples=tuple(
                    _queue(one, queue) for one in batch for queue in _QUEUES if (one + len(queue)) % 20 == 0
                ),
            )
        )


def _poll(number: int) -> QueuePoll:
    return QueuePoll(
        at_ns=BEGIN_NS + number * _POLL_NS, vhost="/", source="management", queues=len(_QUEUES), took_ns=10**7,
        own_cpu_ns=10**6, interval_ns=_POLL_NS, complete=True,
    )  # fmt: skip


def _family(number: int, family: str) -> FamilySample:
    return FamilySample(
        at_ns=BEGIN_NS + number * _POLL_NS, vhost="/", family=family, queues=5, consumerless=0,
        ready=(number + len(family)) % 97, unacked=number % 7, consumers=10, memory=10**6, publish_rate=number % 50,
        deliver_rate=number % 50, ack_rate=number % 50,
    )  # fmt: skip


def _queue(number: int, queue: str) -> QueueSample:
    return QueueSample(
        at_ns=BEGIN_NS + number * _POLL_NS, vhost="/", queue=queue, ready=number % 97, unacked=number % 7, consumers=2,
        memory=10**5, type="classic", node="rabbit@one", durable=True, state="running",
    )  # fmt: skip


def _plays(recorded: Store) -> list[Play]:
    found = {info.recording.id: info for info in recorded.reader().recordings()}
    tables = (call, operation_part, operation_instance)
    calls, operations, instances = ([row._mapping for row in _rows(recorded, table)] for table in tables)
    plays = []
    for number in found:
        mine = [row for row in calls if row["id"] >> ID_BITS == number]
        begins = min(row["first_ns"] for row in mine)
        owned = [dict(row) for row in operations if row["id"] >> ID_BITS == number]
        plays.append(
            Play(
                calls=tuple(tuple(_since(row, begins).values()) for row in mine),
                operations=tuple(_since(row, begins) for row in owned),
                instances=tuple(dict(row) for row in instances if row["operation_id"] >> ID_BITS == number),
                lasts_ns=max(row["last_ns"] for row in mine) - begins,
                numbers=2 + max(row["id"] & _LOW for row in (*mine, *owned)),
            )
        )
    return [_numbered(play, number) for number, play in zip(found, plays, strict=True)]


def _since(row: Any, begins: int) -> Row:
    return {key: value - begins if key.endswith("_ns") and value is not None else value for key, value in row.items()}


def _numbered(play: Play, capture: int) -> Play:
    """Ids without the recording that they were of; those of processes tell the capture."""
    operations = tuple(
        {key: value & _LOW if key in _NUMBERED else value for key, value in row.items()}
        | {"owed_process": _process(row["owed_process"], capture)}
        for row in play.operations
    )
    instances = tuple({**row, "operation_id": row["operation_id"] & _LOW} for row in play.instances)
    calls = tuple(_without_recording(row, capture) for row in play.calls)
    return Play(calls, operations, instances, play.lasts_ns, play.numbers)


def _without_recording(row: CallRow, capture: int) -> CallRow:
    new: list[Any] = list(row)
    for place in (0, *_IDS):
        new[place] &= _LOW
    for place in _PROCESSES:
        new[place] = _process(new[place], capture)
    return tuple(new)


def _process(number: int, capture: int) -> int:
    return capture * _OF_CAPTURE + (number & _LOW) if number else 0


def _call(row: CallRow, base: int, fleet: int, mark: str, start_ns: int, pace: float) -> CallRow:
    new: list[Any] = list(row)
    new[0] += base
    for place in _IDS:
        if new[place]:
            new[place] += base
    for place in _PROCESSES:
        if new[place]:
            new[place] += fleet
    for place in _TIMES:
        if new[place] is not None:
            new[place] = start_ns + int(new[place] * pace)
    for place in _TEXTS:
        if new[place]:
            new[place] = mark + new[place][10:]
    return tuple(new)


def _operation(row: Row, base: int, fleet: int, mark: str, start_ns: int, pace: float) -> Row:
    new = dict(row)
    for key in ("started_ns", "last_ns", "finished_ns", "owed_since_ns"):
        if new[key] is not None:
            new[key] = start_ns + int(new[key] * pace)
    for key in _NUMBERED:
        if new[key]:
            new[key] += base
    if new["owed_process"]:
        new["owed_process"] += fleet
    for key in ("request_id", "global_request_id"):
        new[key] = _marked(new[key], mark)
    return new


def _marked(text: str, mark: str) -> str:
    """Another id of the same shape: a uuid, also behind `req-`."""
    start = 4 if text.startswith("req-") else 0
    return f"{text[:start]}{mark[:8]}-{mark[8:10]}{text[start + 11 :]}" if text else text


def _rows(store: Store, table: Any) -> Sequence[Any]:
    with store._database.reading() as connection:
        return connection.execute(select(table).order_by(*table.primary_key.columns)).all()


def _names(recorded: Store) -> list[Row]:
    return [dict(row._mapping) for row in _rows(recorded, name)]


def _begin(store: Store, names: list[Row], processes: Sequence[Any]) -> int:
    """The recording, the dictionary of names as it was, and the processes of every fleet."""
    resume = store.writer().start(
        source="firehose", scope="amqp://127.0.0.1:5672 / big", digest="", label="/", tap_mode="full",
        conditions="made by benchmarks/stores/big.py from captures of nova 34", started_ns=BEGIN_NS,
    )  # fmt: skip
    number = resume.recording.id
    with store._database.writing() as connection:
        connection.execute(insert(name), names)
        if store._database.dialect == "postgresql":  # the writer's own names come behind those with a number
            connection.execute(text("SELECT setval(pg_get_serial_sequence('name', 'id'), (SELECT max(id) FROM name))"))
        connection.execute(insert(process), list(_fleets(processes, number)))
    return number


def _fleets(processes: Sequence[Any], number: int) -> Iterator[Row]:
    for fleet in range(FLEETS):
        for row in processes:
            low = fleet * _OF_PROCESSES + _process(row.id, row.id >> ID_BITS)
            mine = {"id": (number << ID_BITS) + low, "key": f"{row.key}/{fleet}/{low}", "gone_ns": None}
            yield dict(row._mapping) | mine


def _end(store: Store, number: int, calls: int, last_ns: int) -> None:
    writer = store.writer()
    counters = Counters(seen=calls * 4, decoded=calls * 4, messages=calls * 2, copies=calls * 2)
    writer.write(Batch(recording_id=number, position=calls * 4, counters=counters, last_ns=last_ns, ended=True))


def main() -> None:
    parser = argparse.ArgumentParser(description="Fill an empty store with a month of a cloud.")
    parser.add_argument("database")
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=DAYS)
    arguments = parser.parse_args()
    began = time.perf_counter()
    with open_store(arguments.database, create=True) as store:
        fill(store, arguments.calls, days=arguments.days)
        rows = store.reader().counts()
    took = time.perf_counter() - began
    print(f"{rows['call']:,} calls, {rows['operation_part']:,} operations in {took:.0f} s")


if __name__ == "__main__":
    main()
