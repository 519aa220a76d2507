"""Of what is polled, that is stored which is news, under names that are safe."""

from __future__ import annotations

from typing import Any

from rpcscope.model import Churn, ChurnEvent, FamilySample, NodeState, QueuePoll, QueueSample, QueueSamples
from rpcscope.sampling import GONE, REPEAT_NS, Sampler, fold, safe_churn, safe_node

SECOND = 1_000_000_000
HEX = "0123456789abcdef0123456789abcdef"


def sample(queue: str, at_s: int = 0, **words: Any) -> QueueSample:
    return QueueSample(at_ns=at_s * SECOND, vhost="/", queue=queue, **({"ready": 0, "consumers": 1} | words))


def seen(*samples: QueueSample, at_s: int = 0, complete: bool = True) -> QueueSamples:
    poll = QueuePoll(
        at_ns=at_s * SECOND,
        vhost="/",
        source="management",
        queues=len(samples),
        took_ns=1,
        own_cpu_ns=1,
        interval_ns=1,
        complete=complete,
    )
    return QueueSamples(poll=poll, samples=samples)


def changed(sampler: Sampler, bundle: QueueSamples) -> list[str]:
    return [q.queue for q in sampler.take(bundle).changed]


def test_a_queue_is_stored_when_something_about_it_changes() -> None:
    sampler = Sampler()
    assert changed(sampler, seen(sample("a"), sample("b"))) == ["a", "b"]
    assert changed(sampler, seen(sample("a", 9), sample("b", 9), at_s=9)) == []
    assert changed(sampler, seen(sample("a", 18, ready=1), sample("b", 18), at_s=18)) == ["a"]
    assert changed(sampler, seen(sample("a", 27, ready=1), sample("b", 27, publish_rate=0.2), at_s=27)) == ["b"]


def test_memory_alone_is_no_news() -> None:
    sampler = Sampler()
    sampler.take(seen(sample("a", memory=1)))
    assert changed(sampler, seen(sample("a", 9, memory=2), at_s=9)) == []


def test_a_queue_that_never_changes_is_stored_again_in_time() -> None:
    sampler, hour = Sampler(), REPEAT_NS // SECOND
    sampler.take(seen(sample("a")))
    assert changed(sampler, seen(sample("a", hour - 1), at_s=hour - 1)) == []
    assert changed(sampler, seen(sample("a", hour), at_s=hour)) == ["a"]
    assert changed(sampler, seen(sample("a", hour + 1), at_s=hour + 1)) == []


def test_a_queue_that_a_complete_poll_does_not_show_is_gone_once() -> None:
    sampler = Sampler()
    sampler.take(seen(sample("a"), sample("b")))
    (gone,) = sampler.take(seen(sample("a", 9), at_s=9)).changed
    assert gone == QueueSample(at_ns=9 * SECOND, vhost="/", queue="b", state=GONE)
    assert changed(sampler, seen(sample("a", 18), at_s=18)) == []
    assert changed(sampler, seen(sample("a", 27), sample("b", 27), at_s=27)) == ["b"]


def test_a_poll_that_is_not_whole_says_of_no_queue_that_it_is_gone() -> None:
    sampler = Sampler()
    sampler.take(seen(sample("a"), sample("b")))
    assert changed(sampler, seen(sample("a", 9), at_s=9, complete=False)) == []


def test_families_add_up_what_is_known() -> None:
    queues = (
        sample("compute.host-1", ready=2, memory=10, publish_rate=1.5),
        sample("compute.host-2", ready=3, consumers=0),
        sample(f"reply_{HEX}", ready=None, consumers=None),
    )
    assert fold(queues) == (
        FamilySample(
            at_ns=0, vhost="/", family="compute.*", queues=2, consumerless=1, ready=5, consumers=1, memory=10,
            publish_rate=1.5,
        ),
        FamilySample(at_ns=0, vhost="/", family="reply_*", queues=1, consumerless=0),
    )  # fmt: skip


def test_every_poll_has_every_family_and_families_know_every_queue() -> None:
    sampler = Sampler()
    for at_s in (0, 9):
        taken = sampler.take(seen(sample("compute.host-1", at_s), sample("conductor", at_s), at_s=at_s))
        assert [(f.family, f.at_ns) for f in taken.families] == [
            ("compute.*", at_s * SECOND),
            ("conductor", at_s * SECOND),
        ]


def test_odd_names_lose_their_text_and_share_a_family() -> None:
    hostile = ("PS7q secret", "x\u202eevil", "a" * 10_000)
    taken = Sampler().take(seen(*(sample(name, node="Bad Node", type="<b>", state="!") for name in hostile)))
    assert [f.family for f in taken.families] == ["~*"]
    assert taken.families[0].queues == 3
    for q in taken.changed:
        assert (len(q.queue), q.queue[0], q.node[0], q.type, q.state) == (9, "~", "~", "", "")


def test_names_of_nodes_and_of_churn_are_made_safe() -> None:
    node = safe_node(NodeState(at_ns=1, node="rabbit@one", running=True, partitions=("Bad Node",)))
    assert (node.node, node.partitions[0][0]) == ("rabbit@one", "~")
    event = safe_churn(
        ChurnEvent(
            at_ns=1, event=Churn.CONNECTION_CREATED, vhost="/", connection="PS7q", client_name="nova-compute:7:x"
        )
    )
    assert (event.connection[0], event.client_name) == ("~", "nova-compute:7:x")
