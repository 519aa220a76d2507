"""Calls of a time are added up by method and service; too many are looked at here and there, in every database."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from rpcscope.model import Batch, Flag, MessageKind, Outcome
from rpcscope.store import Store
from rpcscope.store.buckets import EDGES, bucket_of
from rpcscope.store.database import Database
from rpcscope.store.method_query import method_traffic
from rpcscope.store.names import NameReader
from rpcscope.store.traffic_query import traffic
from tests.contract.records import SECOND, START, begun, make_call, make_process, recording_of

MS = 1_000_000
OK: dict[str, Any] = {"outcome": Outcome.OK, "flags": 0, "failure": ""}


@pytest.fixture
def filled(store: Store) -> Store:
    """Two computes save through a conductor; one cast that nobody took; one call is still open."""
    writer, base = begun(store)
    compute, conductor = base + 1, base + 2
    ends = {"from_process": compute, "to_process": conductor, "topic": "conductor", "method": "save"}
    took = {"replied_ns": START + 100 + 20 * MS, "published_ns": START + 100, "parent_id": base + 15}
    calls = (
        make_call(base + 10, **(ends | OK | took)),
        make_call(base + 11, **(ends | OK | took)),
        make_call(base + 12, **(ends | took | {"flags": 0, "outcome": Outcome.FAILED})),
        make_call(base + 13, **(ends | took | {"flags": int(Flag.EXPECTED_FAILURE), "outcome": Outcome.FAILED})),
        make_call(base + 14, **(ends | {"outcome": Outcome.TIMED_OUT, "flags": 0, "published_ns": START + 200})),
        make_call(base + 15, kind=MessageKind.CAST, method="boot", from_process=0, to_process=0, topic="compute",
                  **(OK | {"outcome": Outcome.NONE, "replied_ns": None, "delivered_ns": None, "published_ns": START})),
        make_call(base + 16, kind=MessageKind.NOTIFICATION, method="instance.create.end", published_ns=START),
        # A part of a call that another recording began.
        make_call(base + 17, **(ends | {"flags": int(Flag.NO_REQUEST), "publishes": 0, "published_ns": None,
                                        "delivered_ns": None, "replied_ns": START + 500, "outcome": Outcome.OK})),
    )  # fmt: skip
    waiting = make_call(
        base + 18, **(ends | OK | {"outcome": Outcome.PENDING, "replied_ns": None, "published_ns": START + 300})
    )
    writer.write(
        Batch(
            recording_id=recording_of(base),
            processes=(
                make_process(compute),
                make_process(conductor, program="nova-conductor", role="conductor", host="ctl"),
            ),
            calls=calls,
            open_calls=(waiting,),
        )
    )
    return store


def test_calls_are_added_up_by_method_and_by_the_programs_at_both_ends(filled: Store) -> None:
    found = filled.reader().traffic(START, START + SECOND)
    assert found.is_whole
    saves = [one for one in found.sums if one.method == "save"]
    assert {(one.from_program, one.to_program, one.to_role, one.topic) for one in saves} == {
        ("nova-compute", "nova-conductor", "conductor", "conductor")
    }
    words = ("calls", "known", "failed", "expected", "timed_out")
    assert [sum(getattr(one, word) for one in saves) for word in words] == [6, 6, 1, 1, 1]
    (boot,) = [one for one in found.sums if one.method == "boot"]
    assert (boot.from_program, boot.to_program, boot.topic, boot.bucket, boot.calls) == ("", "", "compute", None, 1)
    assert {one.method for one in found.sums} == {"save", "boot"}
    assert filled.reader().traffic(START + SECOND, START + 2 * SECOND).sums == ()


def test_durations_are_counted_in_the_bucket_that_they_belong_to(store: Store) -> None:
    writer, base = begun(store)
    tooks = [0, 1, *EDGES[::7], EDGES[5] - 1, EDGES[-1] + 1, 3 * MS, 47 * SECOND]
    calls = tuple(
        make_call(base + 1 + place, method=f"m{place}", published_ns=START, delivered_ns=START, replied_ns=START + took)
        for place, took in enumerate(tooks)
    )
    writer.write(Batch(recording_id=recording_of(base), calls=calls))
    sums = store.reader().traffic(START, START + SECOND).sums
    assert {one.method: one.bucket for one in sums} == {f"m{n}": bucket_of(took) for n, took in enumerate(tooks)}
    assert all(other <= 1.0906 * one for one, other in pairwise(EDGES))


def test_of_too_many_calls_those_looked_at_stand_for_all(store: Store, store_url: str) -> None:
    """A quiet hour, and one in which there are sixty times as many."""
    writer, base = begun(store)
    places = [*range(0, 3_600, 60), *range(3_600, 7_200, 1)]
    calls = tuple(
        make_call(base + 1 + number, method="tick" if number % 3 else "tock", published_ns=START + place * SECOND)
        for number, place in enumerate(places)
    )
    writer.write(Batch(recording_id=recording_of(base), calls=calls))
    database = Database(store_url)
    try:
        found = traffic(database, NameReader(database), START, START + 7_200 * SECOND, look=1_000)
        one = method_traffic(
            database, NameReader(database), "tick", START, START + 7_200 * SECOND, look=1_000, most=100
        )
    finally:
        database.close()
    assert not found.is_whole
    assert sum(one.calls for one in found.sums) == pytest.approx(len(places), rel=0.1)
    ticks = sum(one.calls for one in found.sums if one.method == "tick")
    assert ticks == pytest.approx(len(places) * 2 / 3, rel=0.15)
    assert all(after.from_ns >= before.to_ns for before, after in pairwise(found.windows))
    assert found.windows[0].from_ns == START
    assert one.every > 1
    assert len(one.calls) <= 150
    assert sum(call.weight for call in one.calls) == pytest.approx(len(places) * 2 / 3, rel=0.25)


def test_the_calls_of_one_method_know_who_caused_them(filled: Store) -> None:
    found = filled.reader().method_traffic("save", START, START + SECOND)
    assert found.is_whole
    assert sorted((call.id & 0xFF, call.parent_method, call.topic) for call in found.calls) == [
        (10, "boot", "conductor"), (11, "boot", "conductor"), (12, "boot", "conductor"), (13, "boot", "conductor"),
        (14, "", "conductor"), (18, "", "conductor"),
    ]  # fmt: skip
    assert filled.reader().method_traffic("never", START, START + SECOND).calls == ()
