"""Many operations are counted by the database as they are counted one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rpcscope.model import Batch, Status
from rpcscope.query import kind_counts
from rpcscope.query import overview as module
from rpcscope.query.kind_row import KindRow
from rpcscope.query.overview import Overview, overview
from rpcscope.store import Store, open_store
from tests.contract.records import SECOND, START, begun, make_operation
from tests.support.dashboard import recorded_store

LATE = 2**62


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(recorded_store(tmp_path_factory.mktemp("overview") / "store.sqlite")) as store:
        yield store


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few there are, they are too many to read."""
    monkeypatch.setattr(module, "EXACT", 0)


def times(store: Store) -> tuple[int, int]:
    found = [one.started_ns for one in store.reader().operations()]
    return min(found), max(found) + 1


def rows(found: Overview) -> dict[tuple[str, bool], KindRow]:
    return {(row.kind, row.background): row for row in (*found.rows, *found.background)}


def test_counted_and_read_operations_make_the_same_overview(recorded: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read = overview(recorded.reader(), *times(recorded))
    assert sum(row.started for row in read.rows) > 20
    assert read.sampled is None
    monkeypatch.setattr(module, "EXACT", 0)
    assert overview(recorded.reader(), *times(recorded)) == read


@pytest.mark.usefixtures("many")
def test_of_many_the_cost_is_told_of_the_newest_and_says_so(recorded: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rows(overview(recorded.reader(), *times(recorded)))["create", False]
    monkeypatch.setattr(kind_counts, "SAMPLED", 0)
    monkeypatch.setattr(kind_counts, "LEAST", 3)
    found = overview(recorded.reader(), *times(recorded))
    create = rows(found)["create", False]
    assert (create.started, create.trend, create.done) == (whole.started, whole.trend, whole.done)
    assert (create.sampled, create.cost.operations + create.cost.left_out, found.sampled) == (3, 3, 3)
    assert create.as_dict()["sampled"] == 3


@pytest.mark.usefixtures("many")
def test_of_more_running_ones_than_are_read_the_state_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kind_counts, "LOOK", 2)
    with open_store(str(tmp_path / "store.sqlite"), create=True) as store:
        writer, base = begun(store)
        running = [
            make_operation(base + n, request_id=f"req-{n}", status=Status.RUNNING, finished_ns=None, last_ns=START + n)
            for n in range(1, 6)
        ]
        batch = Batch(recording_id=base >> 40, operations=tuple(running), last_ns=START + 100 * SECOND)
        writer.write(batch)
        (row,) = rows(overview(store.reader(), 0, LATE)).values()
    assert (row.started, row.stuck, row.running, row.unknown) == (5, 2, 0, 3)
