"""Operations are counted once, when they are over, whatever comes later and whoever saw which part."""

from __future__ import annotations

from typing import Any

from rpcscope.export.metrics.operations import FORGOTTEN_NS, SETTLES_NS, OperationMeter
from rpcscope.model import Status, Tally
from tests.contract.records import SECOND, START, make_operation
from tests.support.measured import summed, told, without_zeros

CALLS = Tally(calls=12, casts=2, fanouts=1)


def part(number: int = 1, **words: Any) -> Any:
    defaults: dict[str, Any] = {
        "request_id": "req-1", "status": Status.DONE, "started_ns": START, "last_ns": START + SECOND,
        "finished_ns": START + SECOND, "by_request": CALLS, "owed_call": 0,
    }  # fmt: skip
    return make_operation(number << 40 | 1, **(defaults | words))


def counted(meter: OperationMeter) -> dict[tuple[str, ...], float]:
    return without_zeros(summed(told(meter.families()), "rpcscope_operations_total", "kind", "status"))


def test_an_operation_is_counted_once_nothing_more_was_heard_of_it() -> None:
    meter = OperationMeter()
    meter.take([part()], START + SECOND)
    assert counted(meter) == {}
    meter.take([], START + SECOND + SETTLES_NS)
    assert counted(meter) == {("create", "done"): 1}
    found = told(meter.families())
    assert summed(found, "rpcscope_operation_rpcs_sum") == {(): 15}
    assert summed(found, "rpcscope_operation_duration_seconds_sum") == {(): 1.0}


def test_an_operation_that_is_opened_again_is_not_counted_twice() -> None:
    meter = OperationMeter()
    meter.take([part()], START + SECOND)
    meter.take([part(status=Status.RUNNING, finished_ns=None, last_ns=START + 5 * SECOND)], START + 5 * SECOND)
    meter.take([], START + 60 * SECOND)
    assert counted(meter) == {}
    meter.take([part(last_ns=START + 61 * SECOND, finished_ns=START + 61 * SECOND)], START + 80 * SECOND)
    meter.take([part(status=Status.RUNNING, last_ns=START + 90 * SECOND)], START + 90 * SECOND)
    meter.take([part(status=Status.FAILED, last_ns=START + 91 * SECOND)], START + 200 * SECOND)
    assert counted(meter) == {("create", "done"): 1}


def test_what_two_recorders_saw_of_an_operation_is_one_with_the_rpcs_of_both() -> None:
    meter = OperationMeter()
    meter.take([part(1)], START + SECOND)
    meter.take([part(2, complete=False, kind_rank=0, kind="", status=Status.UNKNOWN)], START + SECOND)
    meter.take([], START + SECOND + FORGOTTEN_NS)
    assert counted(meter) == {("create", "done"): 1}
    assert summed(told(meter.families()), "rpcscope_operation_rpcs_sum") == {(): 30}


def test_an_operation_that_owes_something_is_running_and_stuck_after_a_minute_without_a_step() -> None:
    meter = OperationMeter()
    meter.take([part(status=Status.RUNNING, finished_ns=None)], START + 2 * SECOND)
    assert summed(told(meter.families()), "rpcscope_operations_running") == {(): 1}
    assert summed(told(meter.families()), "rpcscope_operations_stuck") == {(): 0}
    meter.take([], START + 62 * SECOND)
    assert summed(told(meter.families()), "rpcscope_operations_stuck", "kind") == {("create",): 1}
    assert counted(meter) == {}


def test_when_a_recording_ends_what_it_alone_saw_is_counted_at_once() -> None:
    meter = OperationMeter()
    meter.take([part(1), part(2, request_id="req-2"), part(1, request_id="req-3")], START + SECOND)
    meter.take([part(2, request_id="req-3")], START + SECOND, ended=1)
    assert counted(meter) == {("create", "done"): 1}


def test_what_was_running_when_its_recording_ended_is_neither_running_nor_stuck_for_ever() -> None:
    meter = OperationMeter()
    meter.take([part(status=Status.RUNNING, finished_ns=None)], START + 90 * SECOND, ended=1)
    assert counted(meter) == {}
    assert summed(told(meter.families()), "rpcscope_operations_stuck") == {}
    meter.take([part(last_ns=START + 99 * SECOND)], START + 200 * SECOND)
    assert counted(meter) == {("create", "done"): 1}


def test_kinds_without_end_are_counted_as_other() -> None:
    meter = OperationMeter(most_kinds=10)
    meter.take([part(n, request_id=f"req-{n}", kind=f"kind-{n}") for n in range(1, 31)], START + 60 * SECOND)
    assert len(counted(meter)) == 11
    assert counted(meter)["other", "done"] == 20 == meter.folded
