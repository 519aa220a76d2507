"""Operations that are not like the others are found, and why."""

from __future__ import annotations

import pytest

from rpcscope.model import Batch, Gap, GapCause, Outcome, Status
from rpcscope.query.kind import kind_shape
from rpcscope.query.kind_sample import kind_sample
from rpcscope.query.oddity import Odd
from rpcscope.store import Store
from tests.contract.records import begun, recording_of
from tests.support.kinds import keep_odd, keep_usual, usual_calls
from tests.unit.query.one import BEGAN, MS, call, stored, uid


def odd(store: Store) -> dict[str, Odd]:
    reader = store.reader()
    found = kind_shape(reader, "create", kind_sample(reader, "create")).odd
    return {one.operation.whole.request_id: one for one in found}


def test_of_operations_that_are_alike_none_is_odd(empty_store: Store) -> None:
    keep_usual(empty_store, 12)
    assert odd(empty_store) == {}


def test_a_missing_step_is_named_with_what_should_have_caused_it(empty_store: Store) -> None:
    keep_usual(empty_store, 12)
    keep_odd(empty_store, "req-missing")
    (reason,) = odd(empty_store)["req-missing"].reasons
    assert (reason.sort, reason.method, reason.place, reason.below) == ("missing", "save", 2, "build_and_run_instance")


def test_an_extra_step_is_named_with_the_call_that_shows_it(empty_store: Store) -> None:
    keep_usual(empty_store, 12)
    keep_odd(empty_store, "req-extra")
    (reason,) = odd(empty_store)["req-extra"].reasons
    assert (reason.sort, reason.method, reason.call) == ("extra", "ping", uid(5))


def test_a_slow_step_says_how_long_it_took_and_how_long_is_usual(empty_store: Store) -> None:
    keep_usual(empty_store, 12)
    keep_odd(empty_store, "req-slow")
    extra, slow = odd(empty_store)["req-slow"].reasons
    assert (extra.sort, extra.method) == ("extra", "inner")
    assert (slow.sort, slow.method, slow.place, slow.call) == ("slow", "save", 2, uid(4))
    assert (slow.took_ns, slow.usual_ns) == (5_020 * MS, 21 * MS)


def test_a_failed_step_is_told_before_all_others_unless_it_is_expected(empty_store: Store) -> None:
    keep_usual(empty_store, 12)
    keep_odd(empty_store, "req-slow", "req-failed", "req-expected")
    found = odd(empty_store)
    assert list(found) == ["req-failed", "req-slow"]
    assert (found["req-failed"].reasons[0].sort, found["req-failed"].reasons[0].error) == ("failed", "DBError")


def test_one_that_took_long_between_its_steps_is_odd_too(empty_store: Store) -> None:
    keep_usual(empty_store, 12)
    stored(empty_store, usual_calls(), request_id="req-long", finished_ns=BEGAN + 9_000 * MS)
    (reason,) = odd(empty_store)["req-long"].reasons
    assert (reason.sort, reason.method, reason.took_ns) == ("long", "", 9_000 * MS)


def test_a_stuck_one_is_odd_and_one_that_runs_is_not_judged(empty_store: Store) -> None:
    keep_usual(empty_store, 12)
    stored(empty_store, usual_calls()[:2], request_id="req-stuck", status=Status.RUNNING, finished_ns=None,
           owed_method="save", owed_call=9)  # fmt: skip
    writer, base = begun(empty_store, tap_mode="full")
    writer.write(Batch(recording_id=recording_of(base), last_ns=BEGAN + 50 * MS))
    assert "req-stuck" not in odd(empty_store)
    reader = empty_store.reader()
    late = kind_sample(reader, "create", stuck_after_s=0)
    (one,) = [one for one in kind_shape(reader, "create", late).odd if one.operation.status is Status.STUCK]
    assert (one.reasons[0].sort, one.reasons[0].method) == ("stuck", "save")


def test_what_a_blind_tap_may_have_missed_is_not_called_missing(empty_store: Store) -> None:
    keep_usual(empty_store, 12)
    keep_odd(empty_store, "req-missing")
    writer, base = begun(empty_store, scope="gap", tap_mode="full")
    gap = Gap(from_ns=BEGAN, to_ns=BEGAN + 200 * MS, cause=GapCause.DROPPED, estimate=None)
    writer.write(Batch(recording_id=recording_of(base), gaps=(gap,), last_ns=BEGAN + 200 * MS))
    assert "req-missing" not in odd(empty_store)


@pytest.mark.parametrize("name", ["req-missing", "req-extra"])
def test_of_four_operations_nothing_is_called_usual(empty_store: Store, name: str) -> None:
    keep_usual(empty_store, 3)
    keep_odd(empty_store, name)
    assert odd(empty_store) == {}


def test_a_call_whose_time_was_over_is_told_unless_a_blind_tap_may_have_missed_the_reply(empty_store: Store) -> None:
    keep_usual(empty_store, 12)
    silent = call(4, 90, 91, parent=1, method="save", outcome=Outcome.TIMED_OUT, expiration_ms=20)
    stored(empty_store, [*usual_calls()[:3], silent], request_id="req-silent", status=Status.FAILED)
    (reason,) = odd(empty_store)["req-silent"].reasons
    assert (reason.sort, reason.method, reason.error) == ("failed", "save", "")
    writer, base = begun(empty_store, scope="gap", tap_mode="full")
    gap = Gap(from_ns=BEGAN, to_ns=BEGAN + 200 * MS, cause=GapCause.DROPPED, estimate=None)
    writer.write(Batch(recording_id=recording_of(base), gaps=(gap,), last_ns=BEGAN + 200 * MS))
    (reason,) = odd(empty_store)["req-silent"].reasons
    assert (reason.method, reason.call) == ("", "")
