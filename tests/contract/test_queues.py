"""Queues, nodes and churn: what goes in comes out, the newest is found, and the old is removed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rpcscope.errors import StoreError
from rpcscope.model import Batch, Churn, ChurnEvent, FamilySample, NodeState, QueuePoll, QueueSample
from rpcscope.store import Store
from tests.contract.records import SECOND, START, begun, recording_of

HOUR = 3_600 * SECOND


def make_poll(at_ns: int = START, **words: Any) -> QueuePoll:
    defaults: dict[str, Any] = {
        "vhost": "/nova",
        "source": "prometheus",
        "queues": 20_000,
        "took_ns": 11,
        "own_cpu_ns": 12,
        "interval_ns": 13,
        "complete": True,
    }
    return QueuePoll(at_ns=at_ns, **(defaults | words))


def make_sample(queue: str, at_ns: int = START, **words: Any) -> QueueSample:
    defaults: dict[str, Any] = {
        "vhost": "/nova",
        "ready": 1,
        "unacked": 2,
        "consumers": 3,
        "memory": 4,
        "publish_rate": 5.5,
        "deliver_rate": 6.125,
        "ack_rate": 7.0,
        "type": "quorum",
        "node": "rabbit@one",
        "durable": True,
        "state": "running",
    }
    return QueueSample(queue=queue, at_ns=at_ns, **(defaults | words))


def make_family(name: str, at_ns: int = START, **words: Any) -> FamilySample:
    defaults: dict[str, Any] = {
        "vhost": "/nova",
        "queues": 8,
        "consumerless": 1,
        "ready": 2,
        "unacked": 3,
        "consumers": 4,
        "memory": 5,
        "publish_rate": 6.5,
        "deliver_rate": 7.125,
        "ack_rate": 8.0,
    }
    return FamilySample(family=name, at_ns=at_ns, **(defaults | words))


def make_node(name: str, at_ns: int = START, **words: Any) -> NodeState:
    defaults: dict[str, Any] = {
        "running": True,
        "mem_used": 1,
        "mem_limit": 2,
        "mem_alarm": False,
        "disk_free": 3,
        "disk_limit": 4,
        "disk_alarm": True,
        "partitions": ("rabbit@two", "rabbit@three"),
        "blocked": 5,
    }
    return NodeState(node=name, at_ns=at_ns, **(defaults | words))


def write(store: Store, **records: Any) -> None:
    writer, base = begun(store)
    writer.write(Batch(recording_id=recording_of(base), **records))


def test_a_queue_comes_back_as_it_was_and_unknown_is_not_zero(store: Store) -> None:
    known = make_sample("compute.host-1", durable=False, ready=0)
    unknown = QueueSample(at_ns=START, vhost="/nova", queue="conductor")
    write(store, queue_polls=(make_poll(),), queue_samples=(known, unknown))
    assert sorted(store.reader().queues(START, START), key=lambda q: q.queue) == [known, unknown]


def test_the_newest_sample_of_each_queue_in_a_time_is_found(store: Store) -> None:
    samples = [make_sample(queue, START + n * SECOND, ready=n) for queue in ("a", "b") for n in range(4)]
    write(store, queue_polls=(make_poll(),), queue_samples=tuple(samples[:-1]))
    found = {q.queue: q.ready for q in store.reader().queues(START, START + 10 * SECOND)}
    assert found == {"a": 3, "b": 2}
    found = {q.queue: q.ready for q in store.reader().queues(START, START + SECOND)}
    assert found == {"a": 1, "b": 1}
    assert store.reader().queues(START + 4 * SECOND, START + 10 * SECOND) == []


def test_two_recorders_of_one_broker_do_not_meet(store: Store) -> None:
    for ready in (1, 2):
        write(store, queue_polls=(make_poll(),), queue_samples=(make_sample("a", ready=ready),))
    assert [q.ready for q in store.reader().queues(START, START)] == [1, 2]
    assert store.reader().queue_polls() == [make_poll(), make_poll()]


def test_the_history_of_a_queue_is_in_order_of_time(store: Store) -> None:
    samples = tuple(make_sample(queue, START + n, ready=n) for n in (2, 0, 1) for queue in ("a", "b"))
    write(store, queue_samples=samples)
    assert [q.ready for q in store.reader().queue_history("a", START, START + 1)] == [0, 1]
    assert store.reader().queue_history("never seen", START, START + 1) == []


def test_families_come_back_as_they_were_in_order_of_time(store: Store) -> None:
    early = make_family("reply_*")
    late = make_family("compute.*", START + 9, ready=None, publish_rate=None, memory=None)
    write(store, family_samples=(late, early))
    assert store.reader().families(START, START + 9) == [early, late]
    assert store.reader().families(START + 1, START + 9) == [late]


def test_the_newest_poll_and_the_newest_state_of_each_node_come_back(store: Store) -> None:
    polls = (make_poll(), make_poll(START + 5, source="management", complete=False, queues=7))
    bare = NodeState(at_ns=START, node="rabbit@two", running=False)
    nodes = (make_node("rabbit@one"), make_node("rabbit@one", START + 5, mem_alarm=True), bare)
    write(store, queue_polls=polls, node_states=nodes)
    assert store.reader().queue_polls() == [polls[1]]
    assert sorted(store.reader().node_states(), key=lambda n: n.node) == [nodes[1], bare]


def test_churn_comes_back_newest_first(store: Store) -> None:
    events = tuple(
        ChurnEvent(at_ns=START + n, event=event, vhost="/nova", queue=f"q{n}", connection=f"c{n}", client_name=f"n{n}")
        for n, event in enumerate(Churn)
    )
    write(store, churn=events)
    assert store.reader().churn(START, START + 99) == list(reversed(events))
    assert store.reader().churn(START + 1, START + 2) == [events[2], events[1]]
    assert store.reader().churn(START, START + 99, limit=1) == [events[-1]]


def test_retention_removes_old_samples_with_their_names_and_keeps_the_new(store: Store) -> None:
    old = {
        "queue_polls": (make_poll(),),
        "queue_samples": tuple(make_sample(f"reply_{n}") for n in range(2_100)),
        "family_samples": (make_family("only_old"),),
        "node_states": (make_node("rabbit@old"),),
        "churn": (ChurnEvent(at_ns=START, event=Churn.QUEUE_CREATED, vhost="/nova", queue="reply_gone"),),
    }
    late = START + HOUR
    new = {
        "queue_polls": (make_poll(late),),
        "queue_samples": (make_sample("kept", late),),
        "family_samples": (make_family("kept.*", late),),
        "node_states": (make_node("rabbit@kept", late),),
        "churn": (ChurnEvent(at_ns=late, event=Churn.QUEUE_DELETED, vhost="/nova", queue="reply_kept"),),
    }
    write(store, **{key: (*old[key], *new[key]) for key in old})
    deleted = store.writer().prune(late)
    tables = ("queue_poll", "queue_sample", "queue_family_sample", "node_state", "churn_event")
    assert [deleted[table] for table in tables] == [1, 2_100, 1, 1, 1]
    assert deleted["name"] == 2_100 + 3
    reader = store.reader()
    assert reader.queues(START, late) == list(new["queue_samples"])
    assert reader.families(START, late) == list(new["family_samples"])
    assert (reader.queue_polls(), reader.node_states()) == (list(new["queue_polls"]), list(new["node_states"]))
    assert reader.churn(START, late) == list(new["churn"])


def test_a_batch_that_fails_leaves_no_sample_behind(store: Store) -> None:
    writer, base = begun(store)
    twice = make_sample("a")
    batch = Batch(recording_id=recording_of(base), queue_polls=(make_poll(),), queue_samples=(twice, twice))
    with pytest.raises(StoreError, match="already has one of these rows"):
        writer.write(batch)
    assert store.reader().counts()["queue_poll"] == 0
    writer.write(replace(batch, queue_samples=(twice,)))
    assert store.reader().queues(START, START) == [twice]
