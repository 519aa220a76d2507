"""What waits is counted once, as long as it is sure; what is not sure is told apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rpcscope.model import Batch, Call, Flag, Gap, GapCause, MessageKind, Outcome, QueuePoll, QueueSample, TapPhase
from rpcscope.query.waiting import Waiting, waiting
from rpcscope.query.waiting_notes import notes
from rpcscope.store import Store, open_store
from rpcscope.store.protocol import RecorderHealth
from tests.contract.records import SECOND, START, begin, make_call, make_operation

NOW_S = 1_000
SCOPE = "rabbit1:5672 vhost openstack default"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "store.db"), create=True) as opened:
        yield opened


class Told:
    """A recording to which is told what is in it; its clock stands at NOW_S."""

    def __init__(self, store: Store, **words: Any) -> None:
        self.store, self.writer = store, store.writer()
        self.number = begin(self.writer, **({"scope": SCOPE} | words)).recording.id

    def write(self, **words: Any) -> None:
        self.writer.write(Batch(recording_id=self.number, last_ns=START + NOW_S * SECOND, **words))

    def cast(self, number: int, at_s: int, **words: Any) -> Call:
        """A cast that nobody took."""
        known: dict[str, Any] = {
            "kind": MessageKind.CAST, "outcome": Outcome.NONE, "flags": 0, "published_ns": START + at_s * SECOND,
            "delivered_ns": None, "replied_ns": None, "expiration_ms": None, "request_bytes": 100, "routed": 1,
        }  # fmt: skip
        return make_call(self.number << 40 | number, **(known | words))


@pytest.fixture
def told(store: Store) -> Told:
    return Told(store)


def answer(told: Told, name: str = "compute.host-1", **words: Any) -> Waiting:
    (only,) = waiting(told.store.reader(), name, **words)
    return only


def test_open_and_given_up_casts_count_and_what_was_taken_later_or_never_routed_does_not(told: Told) -> None:
    given_up, taken, unroutable = told.cast(1, 100), told.cast(2, 200), told.cast(3, 300, routed=0)
    late = told.cast(4, 200, unique_id=taken.unique_id, publishes=0, delivered_ns=START + 900 * SECOND)
    evicted = told.cast(5, 500, flags=int(Flag.EVICTED))
    told.write(calls=(given_up, taken, unroutable, late, evicted), open_calls=(told.cast(6, 950, closed=False),))
    found = answer(told)
    assert (found.count, found.bytes, found.oldest_ns) == (3, 300, given_up.published_ns)
    assert set(found.published) == {given_up.unique_id, evicted.unique_id, f"{told.number << 40 | 6:032x}"}


def test_what_was_taken_after_it_was_given_up_does_not_count_while_that_is_still_open(told: Told) -> None:
    given_up = told.cast(1, 100)
    part = told.cast(2, 100, unique_id=given_up.unique_id, publishes=0, delivered_ns=START, closed=False)
    told.write(calls=(given_up,), open_calls=(part,))
    assert answer(told).count == 0


def test_casts_are_looked_for_as_far_back_as_is_asked_and_the_answer_says_how_far(told: Told) -> None:
    told.write(calls=(told.cast(1, 100), told.cast(2, 900)))
    assert (answer(told).count, answer(told).from_ns) == (2, START)
    near = answer(told, back_s=200.0)
    assert (near.count, near.from_ns) == (1, START + 800 * SECOND)


def test_a_call_counts_until_its_callers_time_is_over(told: Told) -> None:
    words: dict[str, Any] = {"kind": MessageKind.REQUEST, "outcome": Outcome.PENDING, "closed": False}
    running = told.cast(1, 990, expiration_ms=60_000, **words)
    over = told.cast(2, 900, expiration_ms=60_000, **words)
    for_ever = told.cast(3, 10, **words)
    told.write(open_calls=(running, over, for_ever))
    found = answer(told)
    assert (found.count, found.expired) == (2, 1)
    assert "Not counted: 1 call whose time is over." in notes(found)[0]


def test_methods_kinds_and_requests_share_it_and_the_fullest_is_first(told: Told) -> None:
    base = told.number << 40
    operations = (
        make_operation(base + 101, request_id="req-1", kind="create", kind_rank=3),
        make_operation(base + 102, request_id="req-2", kind="", kind_rank=0),
    )
    calls = (
        told.cast(1, 100, operation_id=base + 101, cause_id=base + 101, method="build"),
        told.cast(2, 110, operation_id=base + 102, cause_id=base + 101, method="build"),
        told.cast(3, 120, operation_id=base + 102, cause_id=base + 102, method="stop", server="host-2"),
    )
    told.write(operations=operations, calls=calls)
    document: Any = answer(told, "compute.*").as_dict()
    found = {part: [(row["name"], row["messages"]) for row in document[part]] for part in document if part[:3] == "by_"}
    assert found == {
        "by_queue": [("compute.host-1", 2), ("compute.host-2", 1)],
        "by_method": [("build", 2), ("stop", 1)],
        "by_kind": [("create", 2), (None, 1)],
        "by_request": [("req-2", 2), ("req-1", 1)],
    }
    assert document["by_method"][0]["oldest_ms"] == 900_000


def test_what_was_sent_before_a_gap_ended_is_doubtful(told: Told) -> None:
    gap = Gap(from_ns=START + 400 * SECOND, to_ns=START + 500 * SECOND, cause=GapCause.DROPPED)
    told.write(calls=(told.cast(1, 300), told.cast(2, 450), told.cast(3, 600)), gaps=(gap,))
    found = answer(told)
    assert (found.count, found.doubtful) == (1, 2)
    assert notes(found)[0].startswith("Not counted: 2 messages published before 2026-09-21T14:21:40")


def test_what_was_sent_while_the_tap_saw_no_deliveries_is_doubtful(store: Store) -> None:
    told = Told(store, tap_mode="publish")
    calls = (told.cast(1, 300), told.cast(2, 600))
    phases = (TapPhase(at_ns=START, mode="publish"), TapPhase(at_ns=START + 500 * SECOND, mode="control"))
    told.write(open_calls=calls, phases=phases)
    found = answer(told)
    assert (found.watch.mode, found.watch.since_ns, found.count, found.doubtful) == (
        "control", START + 500 * SECOND, 1, 1
    )  # fmt: skip
    told.write(phases=(TapPhase(at_ns=START + 900 * SECOND, mode="publish"),))
    assert answer(told).unknown.startswith("mode publish sees no deliveries")


def test_runs_of_one_recorder_are_one_and_of_two_recorders_the_one_that_sees_deliveries_tells(store: Store) -> None:
    first = Told(store)
    first.write(calls=(first.cast(1, 100),), ended=True)
    second = Told(store, started_ns=START + 500 * SECOND)
    second.write(calls=(second.cast(1, 600),))
    beside = Told(store, scope="rabbit1:5672 vhost openstack cheap", tap_mode="publish")
    beside.write(calls=(beside.cast(1, 700),))
    found = answer(second)
    assert (found.count, found.watch.since_ns, found.watch.ended) == (2, START, False)


def test_each_broker_has_an_answer_of_its_own(store: Store) -> None:
    for host in ("api1", "cell1"):
        told = Told(store, scope=f"{host}:5672 vhost nova default", label="nova")
        told.write(calls=(told.cast(1, 100),))
    found = waiting(store.reader(), "compute.host-1")
    assert [(one.watch.broker, one.count) for one in found] == [
        ("api1:5672 vhost nova", 1),
        ("cell1:5672 vhost nova", 1),
    ]


def sampled(told: Told, ready: int | None, unacked: int | None = 0, queue: str = "compute.host-1") -> None:
    at_ns = START + (NOW_S - 5) * SECOND
    poll = QueuePoll(
        at_ns=at_ns, vhost="openstack", source="management", queues=1, took_ns=1, own_cpu_ns=1,
        interval_ns=5 * SECOND, complete=True,
    )  # fmt: skip
    sample = QueueSample(at_ns=at_ns, vhost="openstack", queue=queue, ready=ready, unacked=unacked)
    told.write(queue_polls=(poll,), queue_samples=(sample,))


@pytest.mark.parametrize(
    ("ready", "unacked", "sentences"),
    [
        (2, 0, []),
        (None, None, []),
        (9, 0, ["The broker counts 7 more: published before 2026-09-21T14:13:20.000000Z, from when on"]),
        (0, 0, ["The broker counts 2 fewer: published in the 5.0 s since it was asked, gone without a delivery"]),
        (2, 1, ["1 message more taken and not acknowledged, as the broker says; which is unknown"]),
    ],
)
def test_a_difference_from_the_brokers_number_is_explained(
    told: Told, ready: int | None, unacked: int | None, sentences: list[str]
) -> None:
    told.write(calls=(told.cast(1, 100), told.cast(2, 200)))
    sampled(told, ready, unacked)
    found = answer(told)
    assert found.depth is not None
    assert (found.count, found.depth.ready, found.depth.unacked) == (2, ready, unacked)
    said = notes(found)
    assert len(said) == len(sentences)
    assert all(one.startswith(sentence) for one, sentence in zip(said, sentences, strict=True))


def test_a_queue_that_is_not_there_or_not_sampled_and_a_late_recorder_are_told(told: Told) -> None:
    told.write(calls=(told.cast(1, 100),))
    assert notes(answer(told))[0].startswith("How many the broker itself counts is unknown")
    sampled(told, 1, queue="conductor")
    assert notes(answer(told))[0].startswith("The broker had no such queue at 2026-09-21T14:29:55")
    told.writer.report(
        RecorderHealth(
            recording_id=told.number, at_ns=START, since_ns=START, host="mon1", pid=1, stored_ns=START,
            events_rate=1.0, backlog=0, cpu_share=0.1, lag_ns=90 * SECOND,
        )
    )  # fmt: skip
    assert notes(answer(told))[0].startswith("The recorder reads 1 min 30 s late")


def test_what_can_not_be_told_is_null_and_never_zero(told: Told) -> None:
    told.write(calls=(told.cast(1, 100, kind=MessageKind.FANOUT, topic="compute", server=""),))
    document = answer(told, "compute_fanout_*").as_dict()
    assert document["unknown"] == "which copy of a fanout was taken from which queue is not followed"
    numbers = ("messages", "bytes", "expired", "doubtful", "whole", "from", "oldest_at", "oldest_ms", "depth")
    assert {document[word] for word in numbers} == {None}
