"""The critical path tells which chain of waits made the duration."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from rpcscope.model import Outcome, Status
from rpcscope.query.critical import Link, critical_path, holders
from rpcscope.query.trace import Trace, traces
from rpcscope.store import Store
from rpcscope.store.protocol import OperationFilter
from tests.unit.query.one import BEGAN, MS, call, cast, stored


def path(trace: Trace) -> list[tuple[str, int, int, int]]:
    """Stage, number of the call, from and to in ms."""

    def number(link: Link) -> int:
        return int(link.view.call.unique_id, 16) if link.view else 0

    return [
        (link.stage, number(link), (link.from_ns - BEGAN) // MS, (link.to_ns - BEGAN) // MS)
        for link in critical_path(trace)
    ]


def test_a_call_is_its_wait_its_work_and_the_way_back(empty_store: Store) -> None:
    trace = stored(empty_store, [call(1, 0, 10, 70, 75)])
    assert path(trace) == [("wait", 1, 0, 10), ("execution", 1, 10, 70), ("reply-wait", 1, 70, 75)]


def test_what_went_on_beside_the_chain_is_not_in_it(empty_store: Store) -> None:
    trace = stored(
        empty_store,
        [call(1, 0, 10, 100), call(2, 20, 20, 30, parent=1), call(3, 20, 25, 60, parent=1)],
    )
    assert path(trace) == [
        ("wait", 1, 0, 10),
        ("execution", 1, 10, 20),
        ("wait", 3, 20, 25),
        ("execution", 3, 25, 60),
        ("execution", 1, 60, 100),
    ]


def test_the_work_of_a_cast_lasts_as_long_as_what_it_causes(empty_store: Store) -> None:
    trace = stored(empty_store, [cast(1, 0, 5), call(2, 10, 10, 20, parent=1), call(3, 40, 40, 50, parent=1)])
    assert path(trace) == [
        ("wait", 1, 0, 5),
        ("execution", 1, 5, 10),
        ("execution", 2, 10, 20),
        ("execution", 1, 20, 40),
        ("execution", 3, 40, 50),
    ]


def test_time_between_two_roots_belongs_to_no_rpc(empty_store: Store) -> None:
    trace = stored(empty_store, [call(1, 0, 0, 10), call(2, 30, 30, 40)])
    assert path(trace) == [("execution", 1, 0, 10), ("outside", 0, 10, 30), ("execution", 2, 30, 40)]


def test_where_no_delivery_was_seen_queue_and_server_are_not_told_apart(empty_store: Store) -> None:
    assert path(stored(empty_store, [call(1, 0, None, 40)])) == [("whole", 1, 0, 40)]


def test_where_the_time_went_is_said_with_the_method_that_took_most(empty_store: Store) -> None:
    trace = stored(empty_store, [call(1, 0, 10, 100, method="outer"), call(2, 20, 25, 90, parent=1, method="inner")])
    found = holders(critical_path(trace))
    assert [(one.stage, one.took_ns // MS, one.method) for one in found] == [
        ("execution", 85, "inner"),
        ("wait", 15, "outer"),
    ]
    assert sum(one.share for one in found) == pytest.approx(1)


def test_a_caller_that_gave_up_was_held_up_until_then(empty_store: Store) -> None:
    late: dict[str, Any] = {"outcome": Outcome.TIMED_OUT, "expiration_ms": 30}
    trace = stored(empty_store, [call(1, 0, 0, 50), call(2, 10, 15, 90, parent=1, **late), call(3, 95, 95, 100)])
    assert path(trace)[:4] == [
        ("execution", 1, 0, 10),
        ("wait", 2, 10, 15),
        ("execution", 2, 15, 40),
        ("execution", 1, 40, 50),
    ]


def test_who_still_owes_an_answer_holds_up_all_until_now(empty_store: Store) -> None:
    waits = call(2, 10, 15, parent=1, outcome=Outcome.PENDING, last_ns=BEGAN + 80 * MS)
    running: dict[str, Any] = {"status": Status.RUNNING, "finished_ns": None}
    trace = stored(empty_store, [cast(1, 0, 5), waits], **running)
    assert path(trace)[-1] == ("execution", 2, 15, 80)


def test_a_ring_of_parents_ends(empty_store: Store) -> None:
    trace = stored(empty_store, [call(1, 0, 1, 9, parent=2), call(2, 2, 3, 8, parent=1)])
    assert sum(link.took_ns for link in critical_path(trace)) == 9 * MS


def test_a_chain_of_a_thousand_is_followed(empty_store: Store) -> None:
    chain = [call(n, n, n, 3_000 - n, parent=n - 1) for n in range(1, 1_001)]
    assert len(path(stored(empty_store, chain))) == 2_000


def test_of_every_recorded_operation_the_parts_add_up_to_its_time(captures: Store) -> None:
    reader = captures.reader()
    names = {part.request_id for part in reader.operations(OperationFilter(background=False))}
    assert len(names) > 30
    for name in names:
        (trace,) = traces(reader, name)
        parts = critical_path(trace)
        assert all(one.to_ns == other.from_ns for one, other in pairwise(parts)), name
        assert (parts[0].from_ns, parts[-1].to_ns) == (trace.from_ns, trace.to_ns), name
