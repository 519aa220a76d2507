"""Queues step by step: extremes and ends, polls, churn, and queues that nobody consumes."""

from __future__ import annotations

from rpcscope.model import Churn, ChurnEvent, QueueSample
from rpcscope.store import Store
from tests.contract.records import SECOND, START
from tests.contract.test_queues import HOUR, make_family, make_node, make_poll, make_sample, write


def at(second: int) -> int:
    return START + second * SECOND


def test_a_step_has_the_highest_of_its_samples_and_the_one_that_ends_it(store: Store) -> None:
    depths = {0: (5, 1), 1: (90, 9), 2: (3, 0), 10: (7, None)}
    consumers = {0: 4, 1: 0, 2: 4, 10: 3}
    write(
        store,
        queue_samples=tuple(
            make_sample("compute.a", at(n), ready=ready, unacked=unacked, consumers=consumers[n], publish_rate=float(n))
            for n, (ready, unacked) in depths.items()
        ),
    )
    first, second = store.reader().queue_steps(START, at(19), 10 * SECOND, ["compute.a"])
    assert (first.vhost, first.name, first.first_ns, first.last_ns) == ("/nova", "compute.a", at(0), at(2))
    assert (first.extreme.depth, first.extreme.unacked, first.extreme.consumers) == (99, 9, 0)
    assert (first.end.depth, first.end.unacked, first.end.consumers) == (3, 0, 4)
    assert (first.extreme.publish_rate, first.end.publish_rate, first.end.deliver_rate) == (2.0, 2.0, 6.125)
    assert (second.end.depth, second.extreme.unacked, second.first_ns) == (7, None, at(10))


def test_a_step_of_a_family_has_the_highest_of_its_samples(store: Store) -> None:
    write(
        store,
        family_samples=tuple(
            make_family("compute.*", at(n), ready=ready, unacked=0, consumers=ready) for n, ready in ((0, 5), (1, 9))
        ),
    )
    (step,) = store.reader().family_steps(START, at(9), 10 * SECOND, ["compute.*"])
    assert (step.extreme.depth, step.extreme.consumers, step.extreme.deliver_rate) == (9, 5, 7.125)
    assert step.end == step.extreme


def test_depth_is_unknown_only_while_both_its_parts_are(store: Store) -> None:
    write(store, family_samples=(make_family("a", ready=None, unacked=None), make_family("b", ready=None, unacked=2)))
    steps = store.reader().family_steps(START, START, SECOND, ["a", "b"])
    assert [step.extreme.depth for step in steps] == [None, 2]


def test_families_are_named_by_their_depth_and_asked_for_by_their_names(store: Store) -> None:
    samples = (make_family("a"), make_family("b", at(1), ready=80), make_family("c", unacked=None, ready=None))
    write(store, family_samples=(*samples, make_family("late", at(50))))
    assert store.reader().family_names(START, at(9)) == ["b", "a", "c"]
    assert [step.name for step in store.reader().family_steps(START, at(9), SECOND, ["b", "never seen"])] == ["b"]
    assert store.reader().family_steps(START, at(9), SECOND, []) == []


def test_other_families_are_added_up_look_by_look(store: Store) -> None:
    looks = {0: {"a": 100, "b": 10, "c": 0}, 1: {"a": 100, "b": 0, "c": 9}, 2: {"a": 0, "b": None, "c": 4}}
    samples = tuple(
        make_family(name, at(n), ready=ready, unacked=None, consumers=n, publish_rate=1.5)
        for n, depths in looks.items()
        for name, ready in depths.items()
    )
    write(store, family_samples=samples)
    (step,) = store.reader().family_sums(START, at(9), 10 * SECOND, ["a", "never seen"])
    assert (step.name, step.vhost, step.first_ns, step.last_ns) == ("", "/nova", START, at(2))
    assert (step.extreme.depth, step.extreme.consumers, step.extreme.publish_rate) == (10, 0, 3.0)
    (last,) = store.reader().family_sums(at(2), at(9), 10 * SECOND, ["a"])
    assert (last.extreme.depth, last.extreme.unacked, last.extreme.consumers) == (4, None, 4)


def test_queues_are_asked_for_by_their_names_and_recorders_do_not_mix(store: Store) -> None:
    for ready in (1, 2):
        write(store, queue_samples=tuple(make_sample(queue, ready=ready, unacked=0) for queue in ("a", "b", "c")))
    steps = store.reader().queue_steps(START, at(9), SECOND, ("a", "c", "never seen"))
    assert [(step.name, step.end.depth) for step in steps] == [("a", 1), ("c", 1), ("a", 2), ("c", 2)]
    assert len({step.recording_id for step in steps}) == 2
    assert store.reader().queue_steps(START, at(9), SECOND, ()) == []


def test_the_deepest_queues_of_a_beginning_are_those_that_were_ever_deep(store: Store) -> None:
    now_empty = [make_sample("compute.a", at(n), ready=ready, unacked=0) for n, ready in ((0, 50), (5, 0))]
    others = [
        make_sample(queue, ready=ready, unacked=unacked)
        for queue, ready, unacked in (
            ("compute.b", 60, 1), ("compute.empty", 0, 0), ("conductor", 99, 0), ("compute.c", None, 55),
            ("compute_fanout_1", 99, 0), ("compute.%", 2, 0),
        )
    ]  # fmt: skip
    write(store, queue_samples=(*now_empty, *others))
    reader = store.reader()
    assert reader.deepest_queues(START, at(9), "compute.", 9) == ["compute.b", "compute.c", "compute.a", "compute.%"]
    assert reader.deepest_queues(START, at(9), "compute.", 1) == ["compute.b"]
    assert reader.deepest_queues(START, at(9), "compute.%", 9) == ["compute.%"]
    assert reader.deepest_queues(at(1), at(9), "compute.", 9) == []


def test_queues_can_be_read_by_the_beginning_of_their_names(store: Store) -> None:
    write(store, queue_samples=tuple(make_sample(queue) for queue in ("compute.a", "compute_fanout_1", "xcompute.a")))
    assert [q.queue for q in store.reader().queues(START, START, starting="compute.")] == ["compute.a"]
    assert [q.queue for q in store.reader().queues(START, START, starting="compute_")] == ["compute_fanout_1"]


def test_a_queue_is_abandoned_when_its_newest_sample_has_no_consumer(store: Store) -> None:
    samples = {
        "left": ((0, 1, 0), (10, 0, 3), (20, 0, 8)),  # seconds, consumers, ready
        "never": ((5, 0, 9),),
        "back": ((0, 0, 4), (10, 1, 0)),
        "unknown": ((0, None, 4),),
    }
    gone = QueueSample(at_ns=at(20), vhost="/nova", queue="gone", state="gone")
    write(
        store,
        queue_samples=(
            *(
                make_sample(queue, at(n), consumers=consumers, ready=ready, unacked=0)
                for queue, rows in samples.items()
                for n, consumers, ready in rows
            ),
            make_sample("gone", at(10), consumers=0),
            gone,
        ),
    )
    found = store.reader().abandoned_queues(START, at(99), 10)
    assert [(one.sample.queue, one.sample.ready) for one in found] == [("never", 9), ("left", 8)]
    told = [(one.first_ns, one.consumed_ns, one.lost_ns) for one in found]
    assert told == [(at(5), None, None), (at(0), at(0), at(10))]
    assert [one.sample.queue for one in store.reader().abandoned_queues(START, at(99), 1)] == ["never"]


def test_polls_in_steps_tell_how_long_what_they_saw_holds(store: Store) -> None:
    polls = (
        make_poll(at(0), interval_ns=5, took_ns=1), make_poll(at(1), interval_ns=9, took_ns=3),
        make_poll(at(20), interval_ns=4, took_ns=2), make_poll(at(2), vhost="cell1"),
    )  # fmt: skip
    write(store, queue_polls=polls)
    found = [s for s in store.reader().poll_steps(START, at(29), 10 * SECOND) if s.vhost == "/nova"]
    assert [(s.first_ns, s.last_ns, s.interval_ns, s.took_ns) for s in found] == [
        (at(0), at(1), 9, 3),
        (at(20), at(20), 4, 2),
    ]
    assert len(store.reader().poll_steps(START, at(29), 10 * SECOND)) == 3


def test_what_came_and_went_is_counted_by_step_and_event(store: Store) -> None:
    events = [
        ChurnEvent(at_ns=at(n), event=event, vhost="/nova", queue=queue)
        for n, event, queue in (
            (0, Churn.QUEUE_CREATED, "compute.a"), (1, Churn.QUEUE_CREATED, "compute.b"),
            (2, Churn.QUEUE_CREATED, "conductor"), (3, Churn.CONNECTION_CLOSED, ""),
            (15, Churn.QUEUE_DELETED, "compute.a"),
        )
    ]  # fmt: skip
    write(store, churn=tuple(events))
    reader = store.reader()
    everything = [(s.at_ns, s.event, s.queue, s.count) for s in reader.churn_steps(START, at(20), 10 * SECOND)]
    assert everything == [
        (at(0), Churn.QUEUE_CREATED, "", 3),
        (at(3), Churn.CONNECTION_CLOSED, "", 1),
        (at(15), Churn.QUEUE_DELETED, "", 1),
    ]
    mine = [(s.at_ns, s.queue) for s in reader.churn_steps(START, at(20), 10 * SECOND, starting="compute.")]
    assert mine == [(at(0), "compute.a"), (at(1), "compute.b"), (at(15), "compute.a")]


def test_what_came_and_went_can_be_told_of_one_vhost_and_of_none(store: Store) -> None:
    events = tuple(ChurnEvent(at_ns=START, event=Churn.CONNECTION_CLOSED, vhost=vhost) for vhost in ("a", "a", "b", ""))
    write(store, churn=events)
    counts = {v: [s.count for s in store.reader().churn_steps(START, START, SECOND, vhost=v)] for v in ("a", "b", "")}
    assert counts == {"a": [3], "b": [2], "": [4]}


def test_polls_and_nodes_can_be_asked_for_as_they_were_at_a_time(store: Store) -> None:
    polls = tuple(make_poll(at(n), queues=n) for n in (0, 10, 20))
    nodes = tuple(make_node("rabbit@one", at(n), mem_used=n) for n in (0, 10, 20))
    write(store, queue_polls=polls, node_states=nodes)
    reader = store.reader()
    assert [poll.queues for until in (None, at(19), at(10)) for poll in reader.queue_polls(until)] == [20, 10, 10]
    assert [node.mem_used for until in (None, at(19)) for node in reader.node_states(until)] == [20, 10]
    assert (reader.queue_polls(START - 1), reader.node_states(START - 1)) == ([], [])


def test_what_was_not_looked_at_for_hours_is_no_longer_there(store: Store) -> None:
    write(store, queue_polls=(make_poll(vhost="left"), make_poll(START + 3 * HOUR)))
    assert [poll.vhost for poll in store.reader().queue_polls()] == ["/nova"]
    assert [poll.vhost for poll in store.reader().queue_polls(START + HOUR)] == ["left"]
