"""Which calls lie in a queue, by its name alone."""

from __future__ import annotations

import pytest

from rpcscope.decode.place import place
from rpcscope.model import MessageKind
from rpcscope.query.addresses import Address
from tests.contract.records import make_call

KINDS = (MessageKind.REQUEST, MessageKind.CAST)


def holds(name: str, routing_key: str, kind: MessageKind = MessageKind.CAST) -> bool:
    """Whether a queue has what was sent with a routing key, named as decode names it."""
    (found,) = [address for address in place("publish.nova", "nova", routing_key).addressed if address[0] is kind]
    call = make_call(1, kind=kind, topic=found[1], server=found[2])
    return Address(name).holds(call) and call.topic in Address(name).topics


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "queue",
    [
        "conductor",
        "compute.host-1",
        "compute.host-1.example.com",
        "compute.HOST-1",
        "neutron-vo-Port-1.5",
        "neutron-vo-Port-1.5.host-1",
        "cinder-volume.host@lvm",
    ],
)
def test_a_queue_holds_what_is_sent_by_its_name_and_nothing_else(queue: str, kind: MessageKind) -> None:
    assert holds(queue, queue, kind)
    assert not holds(queue, f"{queue}x", kind)
    assert not holds(queue, queue.partition(".")[0] + ".other", kind)


def test_a_family_holds_the_queues_of_every_server_and_not_the_shared_one() -> None:
    assert holds("compute.*", "compute.host-1")
    assert holds("compute.*", "compute.host-2.example.com")
    assert not holds("compute.*", "compute")
    assert not holds("compute.*", "compute-alt.host-1")


def test_a_notification_queue_keeps_its_priority() -> None:
    assert holds("notifications.info", "notifications.info", MessageKind.NOTIFICATION)
    assert not holds("notifications.info", "notifications.error", MessageKind.NOTIFICATION)


@pytest.mark.parametrize("kind", [MessageKind.FANOUT, MessageKind.REPLY, MessageKind.HEARTBEAT])
def test_fanouts_and_replies_are_in_no_queue_of_a_topic(kind: MessageKind) -> None:
    assert not Address("compute").holds(make_call(1, kind=kind, topic="compute", server=""))


@pytest.mark.parametrize(
    ("queue", "word"),
    [
        ("reply_0123", "replies"),
        ("reply_*", "replies"),
        ("compute_fanout_0123", "fanout"),
        ("scheduler_fanout_*", "fanout"),
        ("scheduler_fanout", "fanout"),
        ("~0a1b2c3d", "digest"),
        ("~*", "digest"),
        ("neutron-vo-Port-1.5.*", "name one queue"),
    ],
)
def test_of_some_queues_nothing_can_be_told(queue: str, word: str) -> None:
    assert word in Address(queue).unknown


@pytest.mark.parametrize("name", ["", ".", "..", "*", ".*", "\0", "\u202e", "x" * 5_000, "a." * 500, "compute.", "%"])
def test_a_name_that_is_no_name_matches_nothing(name: str) -> None:
    assert not Address(name).holds(make_call(1, topic="compute", server="host-1"))
