"""A long list of operations is read a page at a time, each operation once, whatever it is sorted by."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from rpcscope.model import Batch, Operation, Status, Tally
from rpcscope.store import OperationFilter, Store
from rpcscope.store import operation_counts as counts_module
from rpcscope.store import operation_search as search_module
from rpcscope.store.places import OperationOrder, Place
from tests.contract.records import SECOND, START, begun, make_call, make_operation, make_process, recording_of

ORDERS = pytest.mark.parametrize("order", list(OperationOrder))
WAYS = pytest.mark.parametrize("ascending", [False, True])


def some(store: Store, count: int = 40) -> dict[str, list[Operation]]:
    """Operations of one or two parts by their request ids; several begin at once and weigh the same."""
    random = Random(3)
    first, base = begun(store, scope="cell 1")
    second, other = begun(store, scope="cell 2")
    parts: dict[int, list[Operation]] = {base: [], other: []}
    for n in range(1, count + 1):
        for cell in (base, other) if n % 4 == 0 else (base,):
            started = START + random.randrange(count // 2) * SECOND
            parts[cell].append(
                make_operation(
                    cell + n, request_id=f"req-{n:03}", started_ns=started, kind=random.choice(["create", "resize"]),
                    finished_ns=None if n % 7 == 0 else started + random.randrange(5) * SECOND,
                    background=n % 5 == 0, project_id=f"project-{n % 3}", status=Status.DONE,
                    by_request=Tally(calls=random.randrange(4), casts=1, replies=random.randrange(3), copies=99),
                )
            )  # fmt: skip
    first.write(Batch(recording_id=recording_of(base), operations=tuple(parts[base])))
    second.write(Batch(recording_id=recording_of(other), operations=tuple(parts[other])))
    found: dict[str, list[Operation]] = {}
    for part in parts[base] + parts[other]:
        found.setdefault(part.request_id, []).append(part)
    return found


def value(order: OperationOrder, parts: list[Operation]) -> int | None:
    """What an operation is sorted by, counted by hand."""
    ends = [part.finished_ns for part in parts if part.finished_ns is not None]
    if order is OperationOrder.STARTED:
        return min(part.started_ns for part in parts)
    if order is OperationOrder.DURATION:
        return max(ends) - min(part.started_ns for part in parts) if ends else None
    word = "rpcs" if order is OperationOrder.RPCS else "messages"
    return sum(getattr(part.by_request, word) for part in parts)


def read(store: Store, wanted: OperationFilter, size: int, **how: Any) -> list[str]:
    """Request ids of page after page, until there is none behind."""
    found: list[str] = []
    after: Place | None = None
    while True:
        page = store.reader().operation_page(wanted, after=after, limit=size, **how)
        assert len(page.found) <= size
        found += [one.parts[0].request_id for one in page.found]
        if page.reached is None:
            return found
        assert page.reached != after
        after = page.reached


@ORDERS
@WAYS
def test_pages_have_each_operation_once_in_order(store: Store, order: OperationOrder, ascending: bool) -> None:
    known = some(store)
    rows = [(value(order, parts), max(p.id for p in parts), one) for one, parts in known.items()]
    if order is OperationOrder.STARTED:  # the id of the part that began first breaks a tie
        rows = [(at, min(p.id for p in known[one] if p.started_ns == at), one) for at, _, one in rows if at is not None]
    expected = [one for key, _, one in sorted(r for r in rows if r[0] is not None)]
    if not ascending:
        expected.reverse()
    for size in (3, 7, 100):
        assert read(store, OperationFilter(), size, order=order, ascending=ascending) == expected


@ORDERS
@WAYS
def test_a_page_looks_at_so_many_and_the_next_goes_on(
    store: Store, order: OperationOrder, ascending: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = some(store)
    monkeypatch.setattr(search_module, "LOOK", 5)
    expected = {
        one
        for one, parts in known.items()
        if any(part.project_id == "project-1" for part in parts) and value(order, parts) is not None
    }
    wanted = OperationFilter(project_id="project-1")
    found = read(store, wanted, 4, order=order, ascending=ascending)
    assert len(found) == len(set(found))
    assert set(found) == expected
    if order is OperationOrder.STARTED:
        assert len(store.reader().operation_page(wanted, limit=40).found) < 5


def test_what_is_stored_meanwhile_moves_no_page(store: Store) -> None:
    some(store)
    reader = store.reader()
    first = reader.operation_page(OperationFilter(), limit=10)
    expected = read(store, OperationFilter(), 10)[10:]
    writer, base = begun(store)
    writer.write(
        Batch(recording_id=recording_of(base), operations=(make_operation(base + 1, started_ns=START + 10**12),))
    )
    again = reader.operation_page(OperationFilter(), after=first.reached, limit=100)
    assert [one.parts[0].request_id for one in again.found] == expected


@pytest.mark.parametrize("order", [OperationOrder.STARTED, OperationOrder.RPCS])
@pytest.mark.parametrize(
    ("words", "fits"),
    [
        ({"kind": "create"}, lambda parts: any(p.kind == "create" for p in parts)),
        ({"background": True}, lambda parts: parts[0].background),
        ({"max_rpcs": 2}, lambda parts: sum(p.by_request.rpcs for p in parts) <= 2),
        ({"min_rpcs": 3, "kind": "resize"}, lambda parts: any(p.kind == "resize" for p in parts)
            and sum(p.by_request.rpcs for p in parts) >= 3),
        ({"min_duration_ns": 3 * SECOND}, lambda parts: (value(OperationOrder.DURATION, parts) or 0) >= 3 * SECOND),
        ({"statuses": [Status.FAILED]}, lambda parts: False),
        ({"related": ["req-004", "req-009", "req-none"]}, lambda parts: parts[0].request_id in ("req-004", "req-009")),
        ({"related": []}, lambda parts: False),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)  # fmt: skip
def test_filters_of_a_page_miss_nothing(store: Store, order: OperationOrder, words: dict[str, Any], fits: Any) -> None:
    """Of operations of several parts more may be found than match: who reads them judges them."""
    known = some(store)
    found = read(store, OperationFilter(**words), 6, order=order)
    assert {one for one, parts in known.items() if fits(parts)} <= set(found)
    assert all(fits(known[one]) for one in found if len(known[one]) == 1)


def test_all_parts_of_a_found_operation_come_newest_first(store: Store) -> None:
    known = some(store)
    for one in store.reader().operation_page(OperationFilter(kind="create"), limit=100).found:
        assert list(one.parts) == sorted(known[one.parts[0].request_id], key=lambda p: (-p.started_ns, -p.id))


def test_an_operation_is_related_by_its_own_and_by_its_global_request_id(store: Store) -> None:
    writer, base = begun(store)
    asked = make_operation(base + 1, request_id="req-nova", global_request_id="")
    made = make_operation(base + 2, request_id="req-neutron", global_request_id="req-nova")
    other = make_operation(base + 3, request_id="req-other", global_request_id="")
    writer.write(Batch(recording_id=recording_of(base), operations=(asked, made, other)))
    assert read(store, OperationFilter(related=["req-nova"]), 5) == ["req-neutron", "req-nova"]


def test_operations_are_counted_once_by_kind_and_status(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    known = some(store)
    counts = store.reader().operation_counts(0, START * 2)
    assert counts.since_ns is None
    assert sum(one.operations for one in counts.counts) == len(known)
    timers = sum(one.operations for one in counts.counts if one.background)
    assert timers == sum(parts[0].background for parts in known.values())
    monkeypatch.setattr(counts_module, "COUNTED", 10)
    fewer = store.reader().operation_counts(0, START * 2)
    assert fewer.since_ns is not None
    assert 0 < sum(one.operations for one in fewer.counts) <= 10


def test_work_of_a_host_is_what_went_to_it_and_what_it_sent(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, base = begun(store)
    here, there = make_process(base + 1, host="host-1"), make_process(base + 2, host="host-2")
    operation = make_operation(base + 3, request_id="req-3")
    common = {"from_process": there.id, "to_process": there.id, "operation_id": operation.id, "server": ""}
    calls = (
        make_call(base + 10, method="by server", **(common | {"server": "host-1"})),
        make_call(base + 11, method="by process", **(common | {"to_process": here.id})),
        make_call(base + 12, method="sent", **(common | {"from_process": here.id, "operation_id": 0})),
        make_call(base + 13, method="elsewhere", **common),
        make_call(base + 14, method="hangs", closed=False, **(common | {"server": "host-1"})),
    )
    writer.write(
        Batch(
            recording_id=recording_of(base), processes=(here, there), operations=(operation,), calls=calls[:4],
            open_calls=calls[4:],
        )
    )  # fmt: skip
    reader = store.reader()
    work = reader.host_work("host-1", START, START + 100 * SECOND, limit=10)
    assert [(one.method, one.calls) for one in work.received] == [("by process", 1), ("by server", 1), ("hangs", 1)]
    assert [(one.method, one.calls) for one in work.sent] == [("sent", 1)]
    (failed,) = [one for one in work.received if one.method == "by server"]
    assert (failed.failed, failed.answered, failed.server_ns, failed.slowest_ns, failed.bytes) == (1, 1, 10, 10, 500)
    (touch,) = work.touches
    assert (touch.request_id, touch.received, touch.sent) == ("req-3", 3, 0)
    assert (touch.first_ns, touch.last_ns) == (START + 10 * SECOND, START + 14 * SECOND)
    assert reader.host_work("host-1", START, START + 10 * SECOND, limit=10).operations == 0
    assert reader.host_work("no such host", START, START + 100 * SECOND, limit=10).received == ()
    monkeypatch.setattr("rpcscope.store.host_query.LOOK", 2)
    bounded = reader.host_work("host-1", START, START + 100 * SECOND, limit=10)
    assert bounded.since_ns == START + 11 * SECOND + 1
