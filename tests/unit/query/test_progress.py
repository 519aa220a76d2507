"""A migration's progress: rate, what is left, and whether it converges, over planted copies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from rpcscope.model import Progress, ProgressSample
from rpcscope.query.progress import PATIENCE, Migration, Pace, grouped, migrations_between
from rpcscope.store import Store, open_store
from tests.contract.records import SECOND, START

GIB = 1 << 30
EVERY = 5  # seconds between two samples, as nova saves them


def migration(lefts: Sequence[float | None], status: str = "running", rate: float = 1.0) -> Migration:
    """One that says what is left, in GiB, every five seconds, and sends so many GiB a second."""
    samples = [sample(place, left, rate * EVERY * place) for place, left in enumerate(lefts)]
    samples.append(sample(len(lefts), lefts[-1], rate * EVERY * len(lefts), status))
    (found,) = grouped(samples if status != "running" else samples[:-1])
    return found


def sample(place: int, left: float | None, sent: float, status: str = "running", **words: Any) -> ProgressSample:
    known, size = left is not None, None if left is None else int(left * GIB)
    said = Progress(
        migration="2f58666f-6fa2-4915-b79c-d9829f11798c", status=status, memory_total=64 * GIB if known else None,
        memory_processed=int(sent * GIB) if known else None, memory_remaining=size,
    )  # fmt: skip
    at = {"at_ns": START + place * EVERY * SECOND, "call_id": place, "unique_id": f"{place:032x}"} | words
    return ProgressSample(operation_id=7, instance="003a7e15-8c0a-4889-a087-bc54a24feb64", progress=said, **at)


def copying(dirty: float, rate: float = 1.0, total: float = 64.0) -> Iterator[float]:
    """What is left every five seconds of a copy at `rate` GiB/s while `dirty` GiB/s are written."""
    left = total
    while left > 0.3 * rate:
        took, at, size = left / rate, 0.0, left
        while at < took:
            yield size - at * rate
            at += EVERY
        left = dirty * took


def some(found: Iterator[float], most: int) -> list[float]:
    return [left for _, left in zip(range(most), found, strict=False)]


@pytest.mark.parametrize("dirty", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_copy_that_gains_on_the_writer_is_converging_at_every_moment(dirty: float) -> None:
    lefts = some(copying(dirty), 500)
    assert len(lefts) < 500
    for end in range(1, len(lefts) + 1):
        assert migration(lefts[:end]).pace is Pace.CONVERGING, lefts[:end]


@pytest.mark.parametrize("dirty", [1.0, 1.2, 2.0])
def test_a_copy_that_the_writer_outruns_is_told_while_it_goes_on(dirty: float) -> None:
    found = migration(some(copying(dirty), 64 // EVERY + PATIENCE + 2))
    assert (found.pace, found.left_ns) == (Pace.NOT_CONVERGING, None)
    assert found.still >= PATIENCE
    assert found.still_ns >= PATIENCE * EVERY * SECOND


def test_passes_shorter_than_the_time_between_two_looks_do_not_hide_it() -> None:
    first = some(copying(0.0), 12)
    assert (
        migration([*first, *[2.0, 1.1, 1.9, 0.7, 2.1, 1.6, 0.9, 2.0, 1.3, 1.8, 0.8, 2.0, 1.2, 2.1, 0.9, 1.9, 1.4]]).pace
        is Pace.NOT_CONVERGING
    )


def test_what_stays_the_same_does_not_converge_and_what_sends_nothing_stands_still() -> None:
    lefts = [8.0, *[4.0] * (PATIENCE + 1)]
    assert migration(lefts).pace is Pace.NOT_CONVERGING
    assert migration(lefts, rate=0.0).pace is Pace.STANDING
    assert migration(lefts[:-1]).pace is Pace.CONVERGING


def test_one_that_is_over_is_over_however_it_went() -> None:
    lefts = some(copying(1.0), 40)
    for status in ("completed", "error", "cancelled"):
        found = migration(lefts, status)
        assert (found.pace, found.left_ns) == (Pace.OVER, None)


def test_a_driver_that_tells_no_sizes_leaves_all_unknown() -> None:
    found = migration([None] * 20)
    assert (found.pace, found.rate, found.remaining, found.left_ns, found.passes) == (Pace.UNKNOWN, None, None, None, 0)
    assert found.as_dict()["remaining"] is None


def test_rate_and_the_least_time_left_are_of_the_newest_samples() -> None:
    found = migration(some(copying(0.2), 5))
    assert found.rate == pytest.approx(GIB, rel=0.01)
    assert found.remaining == 44 * GIB
    assert found.left_ns == pytest.approx(44 * SECOND, rel=0.01)
    assert found.passes == 1
    assert migration(some(copying(0.5), 20)).passes == 2


def test_a_message_that_two_recordings_saw_is_one_sample() -> None:
    twice = [sample(0, 8.0, 0), sample(0, 8.0, 0, call_id=99, at_ns=START + 1), sample(1, 4.0, 4)]
    (found,) = grouped(twice)
    assert [one.progress.memory_remaining for one in found.samples] == [8 * GIB, 4 * GIB]


def test_they_are_read_from_a_store_by_time(tmp_path: Path) -> None:
    from rpcscope.model import Batch
    from tests.contract.records import begun, recording_of

    with open_store(str(tmp_path / "store.sqlite"), create=True) as store:
        assert isinstance(store, Store)
        writer, base = begun(store)
        writer.write(Batch(recording_id=recording_of(base), progress=(sample(0, 8.0, 0), sample(1, 4.0, 4))))
        (found,) = migrations_between(store.reader(), START, START + 100 * SECOND)
        assert found.remaining == 4 * GIB
        assert migrations_between(store.reader(), START + 100 * SECOND, START + 200 * SECOND) == ()
