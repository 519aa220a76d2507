"""What a recorder of notifications alone tells of an operation, beside a recorder of its RPCs."""

from __future__ import annotations

from typing import Any

import pytest

from rpcscope.model import Operation, Status, Tally
from rpcscope.query.standing import decisive
from rpcscope.rules.rules import NOTICE, START
from tests.contract.records import make_operation

RPCS = Tally(calls=12, casts=2, replies=12)
TOLD = Tally(notifications=4)


def part(number: int, status: Status, *, told: bool, last_ns: int, **words: Any) -> Operation:
    rank, counts = (NOTICE, TOLD) if told else (START, RPCS)
    return make_operation(number << 40 | 1, status=status, kind_rank=rank, by_request=counts, last_ns=last_ns, **words)


@pytest.mark.parametrize("told_ns", [10, 30])
def test_a_failure_that_is_told_counts_more_than_rpcs_that_look_fine(told_ns: int) -> None:
    seen = part(1, Status.DONE, told=False, last_ns=20)
    told = part(2, Status.FAILED, told=True, last_ns=told_ns, error="BuildAbortException")
    assert decisive([seen, told]) is decisive([told, seen]) is told


@pytest.mark.parametrize("status", [Status.RUNNING, Status.FAILED])
def test_an_end_that_is_told_does_not_excuse_what_rpcs_show(status: Status) -> None:
    seen = part(1, status, told=False, last_ns=20)
    assert decisive([seen, part(2, Status.DONE, told=True, last_ns=30)]) is seen


def test_a_failure_that_is_told_waits_for_what_still_runs() -> None:
    seen = part(1, Status.RUNNING, told=False, last_ns=20)
    assert decisive([seen, part(2, Status.FAILED, told=True, last_ns=30)]) is seen


def test_where_the_rpcs_say_nothing_what_is_told_is_all_there_is() -> None:
    told = part(2, Status.DONE, told=True, last_ns=10)
    assert decisive([part(1, Status.UNKNOWN, told=False, last_ns=20), told]) is told
