"""Stages and the critical path of calls of which their processes tell: the waits inside are apart from the work."""

from __future__ import annotations

from typing import Any

import pytest

from rpcscope.cli.tree_view import print_tree
from rpcscope.model import Account, Batch, Outcome, Side
from rpcscope.query.breakdown import by_method
from rpcscope.query.critical import critical_path, holders
from rpcscope.query.stages import staged
from rpcscope.query.trace import Trace, traces
from rpcscope.store import Store
from tests.unit.query.one import BEGAN, MS, REQUEST_ID, call, cast, stored, view_of


def told(store: Store, number: int, received: int, started: int, ended: int | None = None) -> None:
    """What the worker of a call tells, on the tap's own host; ms since the operation began."""
    base = next(one.id for one in store.reader().calls()) >> 40 << 40
    times = {"received_ns": received, "started_ns": started, "ended_ns": ended}
    words: dict[str, Any] = {name: None if at is None else BEGAN + at * MS for name, at in times.items()}
    account = Account(
        call_id=base + number, side=Side.SERVER, process=base + 9, source="driver", host="vm", at_ns=BEGAN,
        outcome=Outcome.OK, **words,
    )  # fmt: skip
    store.writer().write(Batch(recording_id=base >> 40, accounts=(account,)))


def again(store: Store) -> Trace:
    return traces(store.reader(), REQUEST_ID)[0]


def stages_of(trace: Trace, number: int) -> list[tuple[str, int, int]]:
    return [(s.name, (s.from_ns - BEGAN) // MS, (s.to_ns - BEGAN) // MS) for s in staged(view_of(trace, number))]


def test_a_call_has_four_stages_from_its_publish_to_its_end(empty_store: Store) -> None:
    stored(empty_store, [call(1, 0, 10, 70, 75)])
    told(empty_store, 1, 10, 30, 70)
    assert stages_of(again(empty_store), 1) == [
        ("wait", 0, 10), ("pool-wait", 10, 30), ("execution", 30, 70), ("reply-wait", 70, 75),
    ]  # fmt: skip


def test_a_call_of_which_nobody_tells_has_the_stages_that_the_bus_shows(empty_store: Store) -> None:
    trace = stored(empty_store, [call(1, 0, 10, 70, 75)])
    assert stages_of(trace, 1) == [("wait", 0, 10), ("execution", 10, 70), ("reply-wait", 70, 75)]


def test_waiting_for_a_thread_is_on_the_critical_path_apart_from_the_work(empty_store: Store) -> None:
    stored(empty_store, [call(1, 0, 10, 70, 75)])
    told(empty_store, 1, 10, 30, 70)
    path = critical_path(again(empty_store))
    assert [(link.stage, link.took_ns // MS) for link in path] == [
        ("wait", 10), ("pool-wait", 20), ("execution", 40), ("reply-wait", 5),
    ]  # fmt: skip
    assert [holder.stage for holder in holders(path)][:2] == ["execution", "pool-wait"]


def test_the_work_of_a_cast_is_no_wait_for_its_thread(empty_store: Store) -> None:
    stored(empty_store, [cast(1, 0, 5), call(2, 50, 50, 60, parent=1)])
    told(empty_store, 1, 5, 15)
    assert [(link.stage, link.took_ns // MS) for link in critical_path(again(empty_store))] == [
        ("wait", 5), ("pool-wait", 10), ("execution", 35), ("execution", 10),
    ]  # fmt: skip


def test_waits_for_threads_are_added_up_where_they_are_told(empty_store: Store) -> None:
    stored(empty_store, [call(1, 0, 10, 70, 75), call(2, 80, 80, 90, 90, method="select_destinations")])
    told(empty_store, 1, 10, 30, 70)
    spent = {row.name: (row.pool_wait_ns, row.execution_ns) for row in by_method(again(empty_store).calls)}
    assert spent == {"build_and_run_instance": (20 * MS, 40 * MS), "select_destinations": (None, 10 * MS)}


def test_show_draws_the_four_durations_and_says_what_they_are(
    empty_store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(empty_store, [call(1, 0, 10, 70, 75)])
    told(empty_store, 1, 10, 30, 70)
    monkeypatch.setenv("COLUMNS", "250")
    trace = again(empty_store)
    print_tree(trace.operation, list(trace.roots), [])
    text = capsys.readouterr().out
    assert "75.0 ms  (queue 10.0, pool 20.0, execution 40.0, reply 5.0)" in text
    assert "(in the queue, waiting for a thread of the pool, execution, the reply on its way)" in text
    assert "queue and reply are good to 0.001 ms: clocks differ" in text
