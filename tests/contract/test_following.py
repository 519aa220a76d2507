"""Who follows a store gets every call once, when it is closed, however the recorders take turns."""

from __future__ import annotations

import random
from collections.abc import Iterator

from rpcscope.model import Batch, InFlightSample, QueueSample
from rpcscope.store import Store, sample_query
from rpcscope.store.follow_rows import Mark
from rpcscope.store.protocol import Reader
from tests.contract.records import SECOND, START, begun, make_call, make_operation


def followed(reader: Reader, mark: Mark, most: int = 1_000) -> Iterator[int]:
    """Ids of all that was closed since."""
    while True:
        found = reader.closed_since(mark, most)
        yield from (call.id for call in found.calls)
        mark = found.mark
        if found.is_all:
            return


def test_each_call_is_met_once_whenever_it_is_closed_and_whoever_looks_when(store: Store) -> None:
    chance, reader = random.Random(7), store.reader()
    recorders = [begun(store, scope=f"cell-{n}") for n in range(2)]
    opened: list[set[int]] = [set(), set()]
    given, closed, met, mark = [0, 0], [], [], reader.mark()
    for _ in range(40):
        which = chance.randrange(2)
        writer, base = recorders[which]
        began = {base + given[which] + n + 1 for n in range(chance.randrange(5))}
        given[which] += len(began)
        ends = {n for n in opened[which] | began if chance.random() < 0.4}
        settled = ends & opened[which]
        opened[which] = (opened[which] | began) - ends
        writer.write(
            Batch(
                recording_id=base >> 40,
                calls=tuple(make_call(n) for n in sorted(ends)),
                open_calls=tuple(make_call(n, closed=False) for n in sorted(began - ends)),
                settled=tuple(settled),
            )
        )
        closed += sorted(ends)
        if chance.random() < 0.5:
            found = reader.closed_since(mark, chance.choice((2, 1_000)))
            met += [call.id for call in found.calls]
            mark = found.mark
    met += followed(reader, mark, 3)
    assert len(closed) > 30
    assert sorted(met) == sorted(closed)
    assert opened[0] | opened[1]


def test_what_was_open_when_one_began_to_look_is_met_when_it_is_closed(store: Store) -> None:
    writer, base = begun(store)
    number = base >> 40
    writer.write(Batch(recording_id=number, calls=(make_call(base + 2),), open_calls=(make_call(base + 1),)))
    mark = store.reader().mark()
    assert list(followed(store.reader(), mark)) == []
    writer.write(Batch(recording_id=number, calls=(make_call(base + 1),), settled=(base + 1,)))
    assert list(followed(store.reader(), mark)) == [base + 1]


def test_a_call_that_a_later_recorder_closes_is_met(store: Store) -> None:
    writer, base = begun(store)
    writer.write(Batch(recording_id=base >> 40, open_calls=(make_call(base + 1, closed=False),)))
    mark = store.reader().mark()
    after, other = begun(store)
    after.write(Batch(recording_id=other >> 40, calls=(make_call(base + 1),), settled=(base + 1,)))
    assert list(followed(store.reader(), mark)) == [base + 1]


def test_parts_of_operations_are_found_by_their_ids(store: Store) -> None:
    writer, base = begun(store)
    parts = tuple(make_operation(base + n) for n in range(1, 4))
    writer.write(Batch(recording_id=base >> 40, operations=parts))
    found = store.reader().operations_by_id([base + 3, base + 1, base + 99])
    assert sorted(found, key=lambda part: part.id) == [parts[0], parts[2]]


def test_samples_of_a_time_are_met_once_by_time_though_pages_are_small(store: Store, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(sample_query, "PAGE", 4)
    writer, base = begun(store)
    number = base >> 40
    queues = [
        QueueSample(at_ns=START + at * SECOND, vhost="v", queue=f"q{n}", ready=n) for at in range(5) for n in range(7)
    ]
    held = [
        InFlightSample(at_ns=START + at, process=n, queue="", method="m", count=1, oldest_ns=START)
        for at in range(6)
        for n in range(3)
    ]
    writer.write(Batch(recording_id=number, queue_samples=tuple(queues), in_flight=tuple(held)))
    reader = store.reader()
    found = list(reader.queue_samples(START + SECOND, START + 4 * SECOND))
    assert [one.at_ns for _, one in found] == [one.at_ns for one in queues[7:28]]
    assert sorted(found, key=_named) == [(number, one) for one in queues[7:28]]
    assert list(reader.in_flight_samples(0, START + 100)) == [(number, one) for one in held]


def _named(found: tuple[int, QueueSample]) -> tuple[int, str]:
    return found[1].at_ns, found[1].queue
