"""When a call is over, and what comes after that."""

from __future__ import annotations

import pytest

from rpcscope.correlate.limits import SECOND
from rpcscope.model import Flag, Observation, Outcome
from rpcscope.query.calls import merged
from tests.support.bus import Bus, Rpc
from tests.support.memory import record


@pytest.fixture
def bus() -> Bus:
    return Bus()


def answered(bus: Bus, *, delivered: bool = True) -> Rpc:
    """A call from its publish to the delivery of its reply."""
    rpc = bus.call(bus.service("client"), bus.service("worker", "work", "w1"), "do", {}, request_id=bus.request_id())
    bus.reply(rpc, delivered=delivered)
    return rpc


def test_a_call_whose_reply_was_delivered_is_never_stored_as_open(bus: Bus) -> None:
    rpc = answered(bus)
    memory = record([bus.topology(), *bus.events], batch_events=100, ended=False)
    assert memory.closed.keys() == {memory.call(rpc.unique_id).id}
    assert not any(batch.open_calls for batch in memory.batches)


def test_a_call_whose_reply_is_still_under_way_is_waited_for(bus: Bus) -> None:
    rpc = answered(bus, delivered=False)
    memory = record([bus.topology(), *bus.events], batch_events=100, ended=False)
    assert memory.open.keys() == {memory.call(rpc.unique_id).id}


def test_a_call_that_began_before_the_recording_is_waited_for_as_long_as_others(bus: Bus) -> None:
    answered(bus)
    memory = record([bus.topology(), *bus.events[1:]], batch_events=100, ended=False)
    assert memory.open
    assert not memory.closed


def test_a_late_copy_of_a_call_that_is_over_is_added_to_it_when_it_is_read(bus: Bus) -> None:
    rpc = answered(bus)
    whole = record([bus.topology(), *bus.events], batch_events=1).call(rpc.unique_id)
    bus.wait(1)
    late: Observation = bus.deliver(rpc, redelivered=True)
    rows = record([bus.topology(), *bus.events], batch_events=1).calls()
    (call,) = merged(lambda: rows)
    assert len(rows) == 2
    assert (call.outcome, call.copies, call.publishes) == (Outcome.OK, whole.copies + 1, 1)
    assert call.flags == Flag.REDELIVERED
    assert call.last_ns == late.at_ns > whole.last_ns + SECOND // 2
