"""What the broker gives a tap twice is known again; what happened twice is not taken for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rpcscope.decode import Decoder
from rpcscope.fingerprints import REMEMBERED, Fingerprints, fingerprint
from rpcscope.model import Message
from rpcscope.rules import load_rules
from tests.support.bus import Bus


@pytest.fixture
def bus() -> Bus:
    return Bus()


def messages(bus: Bus) -> list[Message]:
    decoder = Decoder(load_rules())
    return [one for one in map(decoder.decode, bus.events) if isinstance(one, Message)]


def again(m: Message) -> Message:
    """The same event, given to the tap a second time, later."""
    return replace(m, tap_redelivered=True, at_ns=m.at_ns + 1_000_000)


def sent(bus: Bus) -> Message:
    bus.call(bus.service("a"), bus.service("b", "work", "w1"), "do", {}, request_id=bus.request_id())
    return messages(bus)[0]


def test_what_the_tap_gets_a_second_time_is_a_repeat(bus: Bus) -> None:
    marks, m = Fingerprints(), sent(bus)
    assert not marks.is_repeat(m)
    assert marks.is_repeat(again(m))
    assert marks.is_repeat(again(m))


def test_an_event_that_a_file_holds_twice_is_a_repeat(bus: Bus) -> None:
    marks, m = Fingerprints(), sent(bus)
    assert not marks.is_repeat(m)
    assert marks.is_repeat(m)


def test_a_redelivered_event_that_was_not_stored_is_new(bus: Bus) -> None:
    assert not Fingerprints().is_repeat(again(sent(bus)))


def test_the_publish_and_each_delivery_are_different_events(bus: Bus) -> None:
    agents = [bus.service("b", "work", f"w{n}") for n in range(20)]
    bus.fanout(bus.service("a"), agents, "work", "refresh")
    found = messages(bus)
    assert len({fingerprint(m) for m in found}) == 21
    marks = Fingerprints()
    assert not any(marks.is_repeat(replace(m, tap_redelivered=True)) for m in found)


def test_a_redelivery_to_a_service_is_a_fact_and_no_repeat(bus: Bus) -> None:
    worker = bus.service("b", "work", "w1")
    rpc = bus.call(bus.service("a"), worker, "do")
    bus.deliver(rpc, worker, redelivered=True)
    marks = Fingerprints()
    assert not any(marks.is_repeat(replace(m, tap_redelivered=True)) for m in messages(bus))


def test_a_publish_that_a_service_tried_again_is_a_fact_and_no_repeat(bus: Bus) -> None:
    client = bus.service("a")
    rpc = bus.call(client, None, "do", topic="work")
    bus.publish(rpc, connection=client.sends[0])
    assert not any(map(Fingerprints().is_repeat, messages(bus)))


def test_marks_that_were_stored_are_known_to_the_next_recorder(bus: Bus) -> None:
    first, m = Fingerprints(), sent(bus)
    first.is_repeat(m)
    stored = first.take_new()
    assert len(stored) == 8
    assert first.take_new() == b""
    second = Fingerprints(stored)
    assert second.is_repeat(again(m))
    assert second.take_new() == b"", "a repeat is not stored again"


def test_a_mark_that_was_stored_does_not_hide_an_event_that_is_no_redelivery(bus: Bus) -> None:
    m = sent(bus)
    assert not Fingerprints(fingerprint(m)).is_repeat(m)


def test_no_more_is_remembered_than_needed_and_never_less(bus: Bus) -> None:
    m, marks = sent(bus), Fingerprints()
    many = [replace(m, unique_id=f"{n:08x}{'0' * 24}", at_ns=n + 1) for n in range(3 * REMEMBERED)]
    assert not any(map(marks.is_repeat, many))
    assert len(marks._seen) <= 2 * REMEMBERED
    assert all(marks.is_repeat(again(one)) for one in many[-REMEMBERED:])
    assert not marks.is_repeat(again(many[0]))
