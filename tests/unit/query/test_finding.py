"""People find operations by what they know of them, a page at a time."""

from __future__ import annotations

from typing import Any

import pytest

from rpcscope.model import Batch, Gap, GapCause, Operation, Status
from rpcscope.query import finding
from rpcscope.query.census import census
from rpcscope.query.finding import Search, find
from rpcscope.query.meaning import meaning
from rpcscope.query.operations import Operations
from rpcscope.query.times import SECOND
from rpcscope.store import OperationFilter, Store
from rpcscope.store.places import OperationOrder, Place
from tests.contract.records import START, begun, make_operation

FOREVER = 2**62


def every(store: Store, search: Search, limit: int = 7) -> list[str]:
    """Request ids of page after page."""
    found: list[str] = []
    after: Place | None = None
    while True:
        page = find(store.reader(), search, limit=limit, after=after)
        assert len(page.rows) == limit or page.next is None or page.is_cut
        found += [view.whole.request_id for view in page.rows]
        if page.next is None:
            return found
        after = page.next


def known(store: Store) -> list[Any]:
    return list(Operations(store.reader()).find(OperationFilter()))


def test_pages_of_the_captures_have_every_operation_once_the_newest_first(captures: Store) -> None:
    views = {view.whole.request_id: view.whole.started_ns for view in known(captures)}
    found = every(captures, Search(filter=OperationFilter()))
    assert set(found) == set(views)
    assert [views[one] for one in found] == sorted(views.values(), reverse=True)


@pytest.mark.parametrize(
    ("search", "count"),
    [
        (Search(filter=OperationFilter(kind="create", background=False)), 21),
        (Search(filter=OperationFilter(kind="create"), standing="failed"), 1),
        (Search(filter=OperationFilter(kind="evacuate"), standing="done"), 6),
        (Search(filter=OperationFilter(background=False), standing="failed"), 3),
        (Search(filter=OperationFilter(background=False), standing="stuck"), 0),
        (Search(filter=OperationFilter(background=False, min_rpcs=43)), 7),
        (Search(filter=OperationFilter(background=False, min_rpcs=20, max_rpcs=30)), 6),
        (Search(filter=OperationFilter(background=False, min_duration_ns=60 * SECOND)), 2),
        (Search(filter=OperationFilter(background=False, max_duration_ns=60 * SECOND)), 37),
        (Search(filter=OperationFilter(background=False, min_rpcs=43), order=OperationOrder.RPCS), 7),
        (Search(filter=OperationFilter(background=False, host="compute-2")), None),
    ],
    ids=str,
)
def test_filters_find_what_was_counted_by_hand(captures: Store, search: Search, count: int | None) -> None:
    found = every(captures, search)
    assert len(found) == len(set(found))
    if count is None:
        named = {
            view.whole.request_id
            for view in known(captures)
            if "compute-2" in (view.whole.source_host, view.whole.dest_host) and not view.whole.background
        }
        assert named <= set(found)
        assert len(found) < 39
    else:
        assert len(found) == count


@pytest.mark.parametrize("order", [OperationOrder.DURATION, OperationOrder.RPCS, OperationOrder.MESSAGES])
@pytest.mark.parametrize("ascending", [False, True])
def test_operations_are_sorted_by_what_they_show(captures: Store, order: OperationOrder, ascending: bool) -> None:
    def shown(view: Any) -> int:
        tally = view.whole.by_request
        values = {OperationOrder.DURATION: view.duration_ns, OperationOrder.RPCS: tally.rpcs}
        return int(values.get(order, tally.messages))

    search = Search(filter=OperationFilter(background=False), order=order, ascending=ascending)
    rows = find(captures.reader(), search, limit=100).rows
    assert [shown(view) for view in rows] == sorted((shown(view) for view in rows), reverse=not ascending)
    assert len(rows) == 39


def part(number: int, **words: Any) -> Operation:
    settled: dict[str, Any] = {
        "status": Status.DONE, "error": "", "owed_call": 0, "started_ns": START + (number & 0xFFFF) * SECOND,
    }  # fmt: skip
    return make_operation(number, **(settled | words))


def test_a_status_is_that_of_the_whole_and_not_of_a_part(empty_store: Store) -> None:
    """The second cell saw the first message and failed later; the first one only saw a part of it end well."""
    first, base = begun(empty_store, scope="cell 1")
    second, other = begun(empty_store, scope="cell 2")
    done = part(base + 1, request_id="req-1", last_ns=START)
    failed = part(other + 1, request_id="req-1", status=Status.FAILED, error="E", last_ns=START + 50 * SECOND)
    first.write(Batch(recording_id=base >> 40, operations=(done,), last_ns=START))
    second.write(Batch(recording_id=other >> 40, operations=(failed,), last_ns=START + 50 * SECOND))
    assert every(empty_store, Search(filter=OperationFilter(), standing="failed")) == ["req-1"]
    assert every(empty_store, Search(filter=OperationFilter(), standing="done")) == []


def test_stuck_is_found_running_is_not_and_what_a_gap_hides_is_unknown(empty_store: Store) -> None:
    writer, base = begun(empty_store)
    end = START + 1_000 * SECOND
    old = part(base + 1, request_id="old", status=Status.RUNNING, last_ns=START + 10 * SECOND, finished_ns=None)
    new = part(base + 2, request_id="new", status=Status.RUNNING, last_ns=end, finished_ns=None)
    writer.write(Batch(recording_id=base >> 40, operations=(old, new), last_ns=end))

    def found(standing: str) -> list[str]:
        return every(empty_store, Search(filter=OperationFilter(), standing=standing))

    assert (found("stuck"), found("running"), found("unfinished")) == (["old"], ["new"], ["new", "old"])
    gap = Gap(from_ns=START + 20 * SECOND, to_ns=START + 30 * SECOND, cause=GapCause.DROPPED)
    writer.write(Batch(recording_id=base >> 40, gaps=(gap,), last_ns=end))
    assert (found("stuck"), found("unknown")) == ([], ["old"])


def test_a_page_ends_where_it_has_judged_enough_and_the_next_goes_on(
    empty_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "_AT_ONCE", 4)
    writer, base = begun(empty_store)
    operations = tuple(part(base + n, status=Status.RUNNING, request_id=f"req-{n}") for n in range(1, 61))
    stuck = part(base + 99, status=Status.RUNNING, request_id="req-stuck", started_ns=START, last_ns=START)
    moved = tuple(
        part(one.id, status=Status.RUNNING, request_id=one.request_id, last_ns=START + 500 * SECOND)
        for one in operations
    )
    writer.write(Batch(recording_id=base >> 40, operations=(*moved, stuck), last_ns=START + 500 * SECOND))
    search = Search(filter=OperationFilter(), standing="stuck")
    first = find(empty_store.reader(), search, limit=2)
    assert (first.rows, first.is_cut) == ((), True)
    assert first.next is not None
    assert every(empty_store, search, limit=2) == ["req-stuck"]


def test_words_mean_what_is_stored_under_them(captures: Store) -> None:
    reader = captures.reader()
    boot = next(view.whole for view in known(captures) if view.whole.kind == "create" and view.whole.project_id)
    expected = {
        boot.request_id: "request_id", boot.instances[0]: "instance", "create": "kind", "compute-1": "host",
        boot.project_id: "project",
    }  # fmt: skip
    for text, field in expected.items():
        found = meaning(reader, text)
        assert (found.field, found.is_stored) == (field, True), text


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("req-11111111-2222-3333-4444-555555555555", "request_id"),
        ("11111111-2222-3333-4444-555555555555", "instance"),
        ("11111111222233334444555555555555", "instance"),
        ("compute-99.example.org", "host"),
        ("no such thing", "request_id"),
    ],
)
def test_what_nothing_stored_has_is_told_by_its_form(empty_store: Store, text: str, field: str) -> None:
    found = meaning(empty_store.reader(), text)
    assert (found.field, found.is_stored) == (field, False)


def test_the_census_counts_each_operation_once(captures: Store) -> None:
    views = known(captures)
    people = [view for view in views if not view.whole.background]
    found = census(captures.reader(), 0, FOREVER, background=False)
    assert (found.operations, dict(found.standings)) == (len(people), {"done": 36, "failed": 3})
    assert dict(found.kinds)["create"] == 21
    assert census(captures.reader(), 0, FOREVER, background=True).operations == len(views)
    assert census(captures.reader(), 0, 1, background=True).kinds == ()
