"""Queues without consumers, what came and went, alarms, work in flight in fewer points, as of an earlier time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rpcscope.model import Churn, ChurnEvent, NodeState
from rpcscope.query.abandoned import abandoned
from rpcscope.query.alarms import alarms, distinct
from rpcscope.query.churn import churn_marks
from rpcscope.query.queues import queues
from rpcscope.query.steps import peak, thinned, value_at
from rpcscope.store import Store, open_store
from tests.unit.test_queue_query import EVERY_S, SECOND, START, Depths, record

REPLY = "reply_" + "0" * 32


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "store.db"), create=True) as opened:
        yield opened


def at(second: int) -> int:
    return START + second * SECOND


def left(queue: str, *, from_s: int) -> dict[int, Depths]:
    return {s: {queue: (2, 0 if s >= from_s else 1), "conductor": (0, 1)} for s in range(0, 301, EVERY_S)}


def test_a_reply_queue_that_lost_its_consumer_goes_half_an_hour_later_by_default(store: Store) -> None:
    record(store, "nova", left(REPLY, from_s=120))
    (one,) = abandoned(store.reader(), store.reader().queue_polls())
    assert (one.name, one.ready, one.lost_ns) == (REPLY, 2, at(120))
    assert one.expires_ns == at(120 + 1_800)


def test_of_a_shared_queue_and_of_one_never_seen_consumed_no_expiry_is_claimed(store: Store) -> None:
    record(store, "nova", left("notifications.info", from_s=120))
    record(store, "cell1", left(REPLY, from_s=0))
    found = {one.vhost: one for one in abandoned(store.reader(), store.reader().queue_polls())}
    assert (found["nova"].lost_ns, found["nova"].expires_ns) == (at(120), None)
    assert (found["cell1"].lost_ns, found["cell1"].seen_ns, found["cell1"].expires_ns) == (None, at(0), None)
    assert len(abandoned(store.reader(), store.reader().queue_polls(), vhost="nova")) == 1


def test_queues_are_told_as_they_were_at_an_earlier_time(store: Store) -> None:
    record(store, "nova", {s: {"conductor": (s, 1)} for s in range(0, 1_201, EVERY_S)})
    for until_s, ready in ((1_200, 1_200), (619, 600), (600, 600)):
        (row,) = queues(store.reader(), until_ns=at(until_s)).rows
        assert row.ready == ready
        (row,) = queues(store.reader(), "conductor", until_ns=at(until_s)).rows
        assert row.ready == ready
    assert queues(store.reader(), until_ns=START - 1).polls == ()


def test_what_came_and_went_is_counted_in_parts_and_only_of_the_queue_that_is_asked_for(store: Store) -> None:
    events = [
        (0, Churn.QUEUE_CREATED, "compute.a"), (1, Churn.QUEUE_CREATED, "compute.b"),
        (2, Churn.QUEUE_CREATED, "compute.a_fanout_1"), (3, Churn.CONNECTION_CLOSED, ""),
        (50, Churn.CONSUMER_DELETED, "compute.a"),
    ]  # fmt: skip
    churn = tuple(ChurnEvent(at_ns=at(s), event=event, vhost="", queue=queue) for s, event, queue in events)
    record(store, "nova", {0: {"conductor": (0, 1)}}, churn=churn)

    def told(name: str) -> list[tuple[int, str, bool, int, tuple[str, ...]]]:
        marks = churn_marks(store.reader(), at(0), at(100), name, points=10)
        return [((m.at_ns - START) // SECOND, m.thing, m.came, m.count, m.queues) for m in marks]

    assert told("") == [(0, "queue", True, 3, ()), (3, "connection", False, 1, ()), (50, "consumer", False, 1, ())]
    assert told("compute.*") == [
        (0, "queue", True, 2, ("compute.a", "compute.b")),
        (50, "consumer", False, 1, ("compute.a",)),
    ]
    assert told("compute.b") == [(1, "queue", True, 1, ("compute.b",))]


def test_alarms_are_told_and_a_node_that_two_recorders_see_is_one() -> None:
    node = NodeState(at_ns=1, node="rabbit@a", running=True, mem_alarm=True, blocked=3, partitions=("rabbit@b",))
    same = NodeState(at_ns=2, node="rabbit@a", running=True, mem_alarm=True, blocked=3, partitions=("rabbit@b",))
    other = NodeState(at_ns=1, node="rabbit@a", running=False)
    assert alarms(node) == [
        "rabbit@a has a memory alarm: it takes no message; 3 connections are blocked",
        "rabbit@a lost sight of rabbit@b",
    ]
    assert alarms(other) == ["rabbit@a does not run"]
    assert alarms(NodeState(at_ns=1, node="rabbit@a", running=True)) == []
    assert set(distinct([node, same, other])) == {same, other}


def test_thinned_steps_keep_the_peak_and_what_holds_at_the_end_of_each_part() -> None:
    steps = tuple((n, None if n == 99 else 1_000 if n == 42 else n % 7) for n in range(100))
    thin = thinned(steps, 0, 100, 10)
    assert len(thin) <= 20
    assert peak(thin) == 1_000
    for end in (9, 19, 49, 99):
        assert value_at(thin, end) == value_at(steps, end)
    assert thinned((), 0, 100, 10) == ()
