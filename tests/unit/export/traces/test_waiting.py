"""What waits for its export: no more than fits, each once, and not before it is over."""

from __future__ import annotations

from dataclasses import replace

from rpcscope.export.traces.allowance import Allowance
from rpcscope.export.traces.waiting import Waiting
from rpcscope.model import Status
from tests.contract.records import make_operation

S = 1_000_000_000
PART = replace(make_operation(1), background=False, status=Status.RUNNING, last_ns=100 * S)


def test_what_ended_is_due_once_it_settled_and_the_rest_when_it_was_quiet() -> None:
    waiting = Waiting(background=False, quiet_ns=60 * S)
    waiting.add([
        replace(PART, request_id="ended", status=Status.DONE), replace(PART, request_id="runs"),
        replace(PART, request_id="timer", background=True), replace(PART, request_id=""),
    ])  # fmt: skip
    assert waiting.due(102 * S, 10) == []
    assert waiting.due(103 * S, 10) == ["ended"]
    assert waiting.due(160 * S, 10) == ["ended", "runs"]
    assert waiting.due(160 * S, 1) == ["ended"]
    waiting.done(["ended"], 160 * S)
    assert len(waiting) == 1


def test_what_goes_on_while_it_is_exported_stays() -> None:
    waiting = Waiting(background=True, quiet_ns=S)
    waiting.add([PART])
    waiting.add([replace(PART, last_ns=200 * S)])
    waiting.done([PART.request_id], 150 * S)
    assert waiting.due(201 * S, 10) == [PART.request_id]


def test_what_was_not_over_after_all_is_looked_at_again_later() -> None:
    waiting = Waiting(background=True, quiet_ns=10 * S)
    waiting.add([replace(PART, status=Status.DONE)])
    waiting.not_yet([PART.request_id], 200 * S)
    assert waiting.due(205 * S, 10) == []
    assert waiting.due(210 * S, 10) == [PART.request_id]


def test_when_too_many_wait_the_oldest_is_forgotten_and_counted() -> None:
    waiting = Waiting(background=True, quiet_ns=S, most=3)
    waiting.add([replace(PART, request_id=f"req-{n}") for n in range(5)])
    assert (len(waiting), waiting.dropped) == (3, 2)
    assert waiting.due(1000 * S, 10) == ["req-2", "req-3", "req-4"]


def test_a_rate_lets_so_many_through_in_each_second_and_saves_no_more_than_one_second_s() -> None:
    allowed = Allowance(2)
    assert [allowed.takes(10.0) for _ in range(3)] == [True, True, False]
    assert [allowed.takes(10.5), allowed.takes(10.5)] == [True, False]
    assert [allowed.takes(500.0) for _ in range(3)] == [True, True, False]
    assert all(Allowance(0).takes(1.0) for _ in range(100))
