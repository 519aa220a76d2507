"""A recording cut into phases of a tap says less than a whole one, and never anything wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rpcscope.model import LiveSighting, Observation, Outcome, Sighting, Status
from rpcscope.pipeline import Recorder
from rpcscope.rules import load_rules
from tests.support.bus import Bus
from tests.support.memory import Given, Memory, record
from tests.support.phases import MODES, in_phases
from tests.support.requests_only import sightings

CAPTURES = Path(__file__).parents[1] / "captures" / "nova34"
RECORDED = [
    "01_boot_1",
    "05_delete_1",
    "10_drain_serial_6",
    "12_evacuate_6",
    "14_boot_no_valid_host",
    "16_rpc_timeout_sigstop",
]
DAY_S = 86_400
CLAIMS = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.UNANSWERED)


@cache
def recorded(name: str) -> tuple[Sighting, ...]:
    """A recording, and one message long after it: everybody's time is over by then."""
    events = sightings(CAPTURES / f"{name}.jsonl.zst")
    last_ns = max(seen.at_ns for seen in events)
    bus = Bus(now_ns=last_ns)
    bus.wait(DAY_S)
    clerk = bus.service("nova-conductor", "conductor")
    bus.cast(clerk, clerk, "later", request_id=bus.request_id())
    return (*events, *bus.events)


@cache
def whole(name: str) -> Memory:
    return record(recorded(name))


def watched(events: Sequence[LiveSighting], batch_events: int) -> Memory:
    memory = Memory()
    recorder = Recorder(memory, memory.resume(), load_rules())
    recorder.run(Given(events), batch_events=batch_events)
    recorder.end()
    return memory


def outcomes(memory: Memory) -> dict[str, set[Outcome]]:
    """What is said of each call, by its unique id."""
    found: dict[str, set[Outcome]] = {}
    for call in memory.calls():
        found.setdefault(call.unique_id, set()).add(call.outcome)
    return found


def published(events: Sequence[LiveSighting]) -> Counter[bytes]:
    """Requests that the tap saw published, by their body."""
    return Counter(
        seen.body
        for seen in events
        if isinstance(seen, Observation) and seen.routing_key.startswith("publish.") and seen.headers["exchange_name"]
    )


phases = st.lists(st.tuples(st.floats(0, 1), st.sampled_from(MODES)), min_size=1, max_size=5)


@pytest.mark.parametrize("name", RECORDED)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=phases, batch_events=st.sampled_from([7, 2000]))
def test_what_is_said_of_a_recording_in_phases_is_true(
    name: str, cuts: list[tuple[float, str]], batch_events: int
) -> None:
    events, truth = recorded(name), whole(name)
    seen = in_phases(events, sorted((round(where * (len(events) - 1)), mode) for where, mode in cuts))
    memory = watched(seen, batch_events)
    expected = outcomes(truth)
    for unique_id, said in outcomes(memory).items():
        claims = said.intersection(CLAIMS)
        assert claims <= expected.get(unique_id, set()), (unique_id, said)
    assert sum(call.publishes for call in memory.calls()) == sum(published(seen).values())
    for one in memory.operations.values():
        if one.request_id:
            true = truth.operation(one.request_id)
            assert one.status in (true.status, Status.UNKNOWN), (one, true)
