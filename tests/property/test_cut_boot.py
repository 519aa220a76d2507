"""A boot that was recorded in part, at every place where it can be cut."""

from __future__ import annotations

from rpcscope.model import Flag, Observation, Operation, Status
from tests.support.memory import Memory, record
from tests.support.nova import Nova
from tests.support.trees import by_hand


def boot() -> tuple[Nova, str, list[Observation]]:
    nova = Nova()
    request_id = nova.bus.request_id()
    nova.boot(request_id, [nova.bus.uuid()])
    return nova, request_id, nova.bus.events


def part_of(memory: Memory, request_id: str) -> Operation | None:
    parts = memory.parts(request_id)
    return parts[0] if parts else None


def test_a_boot_whose_head_is_missing_is_never_whole() -> None:
    nova, request_id, events = boot()
    for cut in range(2, len(events)):
        memory = record([nova.bus.topology(), *events[cut:]])
        found = part_of(memory, request_id)
        if found is None:
            assert request_id not in by_hand(events[cut:])
            continue
        assert not found.complete
        assert found.status is not Status.DONE
        assert found.kind == "create", f"cut at {cut}"
        lacking = [call for call in memory.calls() if call.flags & Flag.NO_REQUEST]
        assert all(call.publishes == 0 for call in lacking)


def test_a_boot_whose_tail_is_missing_is_not_done_and_owes_something() -> None:
    nova, request_id, events = boot()
    finish = max(n for n, one in enumerate(events) if b"event_finish" in one.body and "publish" in one.routing_key)
    for cut in range(1, finish + 1):
        found = record([nova.bus.topology(), *events[:cut]]).operation(request_id)
        assert (found.kind, found.complete) == ("create", True)
        assert found.status is Status.RUNNING, f"cut at {cut}"
        assert found.owed_call
        assert found.owed_method
        assert found.owed_since_ns is not None


def test_a_boot_that_two_recorders_saw_in_turn_adds_up_at_every_cut() -> None:
    nova, request_id, events = boot()
    whole = record([nova.bus.topology(), *events]).operation(request_id)
    for cut in range(1, len(events)):
        memory = record([nova.bus.topology(), *events[:cut]])
        record([nova.bus.topology(), *events[cut:]], into=memory)
        (found,) = memory.parts(request_id)
        assert found.by_request == whole.by_request
        assert found.by_cause == whole.by_cause
        assert (found.status, found.kind, found.dest_host) == (Status.DONE, "create", "compute-1"), f"cut at {cut}"
        assert found.finished_ns == whole.finished_ns


def test_a_boot_keeps_its_parents_over_a_restart_at_every_cut() -> None:
    nova, _, events = boot()
    whole = record([nova.bus.topology(), *events])
    for cut in range(1, len(events)):
        memory = record([nova.bus.topology(), *events[:cut]])
        record([nova.bus.topology(), *events[cut:]], into=memory)
        for call in whole.calls():
            parts = [one for one in memory.calls() if one.unique_id == call.unique_id]
            told = {one.parent_unique_id for one in parts if one.publishes}
            assert told == {call.parent_unique_id}, f"{call.method} cut at {cut}"
