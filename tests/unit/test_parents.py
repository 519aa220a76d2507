"""Which request caused an RPC: each rule where only that rule gives the right answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rpcscope.model import ParentSource
from tests.support.bus import Rpc, Service
from tests.support.memory import Memory, record
from tests.support.nova import BUILD, Nova, instance

TRACE = "00-{:032x}-00f067aa0ba902b7-01"


class Scene:
    """A control plane in which handlers are started by hand."""

    def __init__(self) -> None:
        self.nova = Nova()
        self.bus = self.nova.bus
        self.rid = self.bus.request_id()
        self.compute = self.nova.computes["compute-1"]

    def hand(self, method: str, server: str = "", to: Service | None = None, rid: str = "", **more: Any) -> Rpc:
        """A request that a process has in hand now."""
        to = to or self.compute
        args = {"instance": instance(server)} if server else {}
        host = more.pop("server_host", "")
        return self.bus.cast(self.nova.conductor, to, method, args, request_id=rid or self.rid, server=host, **more)

    def step(self, method: str = "Thing.get", server: str = "", **more: Any) -> Rpc:
        """An RPC that the compute makes."""
        more.setdefault("rid", self.rid)
        rid = more.pop("rid")
        args = {"objname": method.partition(".")[0], "objmethod": method.partition(".")[2], "instance_uuid": server}
        return self.nova.ask(self.compute, self.nova.conductor, "object_class_action", args, request_id=rid, **more)

    def memory(self, **options: Any) -> Memory:
        return record([self.bus.topology(), *self.bus.events], **options)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_request_that_its_process_has_in_hand_caused_it(scene: Scene) -> None:
    cause = scene.hand("build_and_run_instance")
    step = scene.step()
    memory = scene.memory()
    call = memory.call(step.unique_id)
    assert (call.parent_unique_id, call.parent_source) == (cause.unique_id, ParentSource.INFERRED)
    assert call.parent_id == memory.call(cause.unique_id).id


def test_what_another_process_has_in_hand_caused_nothing_here(scene: Scene) -> None:
    scene.hand("build_and_run_instance", to=scene.nova.computes["compute-2"])
    step = scene.step()
    assert scene.memory().parent(step.unique_id) == ""


def test_a_request_that_was_answered_causes_nothing_more(scene: Scene) -> None:
    asked = scene.bus.call(scene.nova.conductor, scene.compute, "pre_live_migration", {}, request_id=scene.rid)
    scene.bus.reply(asked)
    step = scene.step()
    assert scene.memory().parent(step.unique_id) == ""


# ------------------------------------------------------------------ the rules, in order


def test_rule_1_a_method_that_never_causes_an_rpc_is_no_parent(scene: Scene) -> None:
    cause = scene.hand("build_and_run_instance")
    scene.hand("get_instance_diagnostics")
    step = scene.step()
    assert scene.memory().parent(step.unique_id) == cause.unique_id


def test_rule_2_another_request_id_is_another_matter(scene: Scene) -> None:
    cause = scene.hand("build_and_run_instance")
    scene.hand("build_and_run_instance", rid=scene.bus.request_id())
    step = scene.step()
    assert scene.memory().parent(step.unique_id) == cause.unique_id


def test_rule_2_a_trace_context_is_believed_over_the_request_id(scene: Scene) -> None:
    other = scene.bus.request_id()
    cause = scene.hand("build_and_run_instance", rid=other, traceparent=TRACE.format(1))
    scene.hand("build_and_run_instance", traceparent=TRACE.format(2))
    rpc = scene.bus.call(
        scene.compute, scene.nova.conductor, "thing", {}, request_id=scene.rid, traceparent=TRACE.format(1)
    )
    memory = scene.memory()
    call = memory.call(rpc.unique_id)
    assert (call.parent_unique_id, call.parent_source) == (cause.unique_id, ParentSource.TRACEPARENT)
    assert call.operation_id == memory.operation(scene.rid).id
    assert call.cause_id == memory.operation(other).id
    ignored = scene.memory(use_traceparent=False).call(rpc.unique_id)
    assert (ignored.parent_unique_id != cause.unique_id, ignored.parent_source) == (True, ParentSource.INFERRED)


def test_rule_3_an_action_event_belongs_to_the_handler_it_is_named_after(scene: Scene) -> None:
    server = scene.bus.uuid()
    cause = scene.hand("build_and_run_instance", server)
    scene.hand("stop_instance", server)
    event = scene.nova.event_start(scene.compute, BUILD, scene.rid, server)
    assert scene.memory().parent(event.unique_id) == cause.unique_id


def test_rule_4_the_handler_of_the_same_server_is_preferred(scene: Scene) -> None:
    one, two = scene.bus.uuid(), scene.bus.uuid()
    cause = scene.hand("build_and_run_instance", one)
    scene.hand("build_and_run_instance", two)
    step = scene.step(server=one)
    assert scene.memory().parent(step.unique_id) == cause.unique_id


def test_rule_5_a_handler_that_waits_for_an_answer_is_busy(scene: Scene) -> None:
    cause = scene.hand("build_and_run_instance")
    scene.bus.wait(0.1)
    busy = scene.hand("stop_instance")
    waits = scene.bus.call(scene.compute, scene.nova.conductor, "slow", {}, request_id=scene.rid)
    step = scene.step()
    scene.bus.reply(waits)
    memory = scene.memory()
    assert memory.parent(waits.unique_id) == busy.unique_id
    assert memory.parent(step.unique_id) == cause.unique_id


def test_a_handler_whose_work_has_ended_is_no_candidate_beside_one_at_work(scene: Scene) -> None:
    one, two = scene.bus.uuid(), scene.bus.uuid()
    cause = scene.hand("build_and_run_instance", one, server_host="compute-1")
    over = scene.hand("stop_instance", two, server_host="compute-1")
    end = scene.nova.event_finish(scene.compute, "compute_stop_instance", scene.rid, two)
    step = scene.step()
    memory = scene.memory()
    assert memory.parent(end.unique_id) == over.unique_id
    assert memory.parent(step.unique_id) == cause.unique_id


def test_rule_6_the_handler_that_made_the_usual_step_before_is_preferred(scene: Scene) -> None:
    for _ in range(3):
        rid = scene.bus.request_id()
        scene.hand("build_and_run_instance", rid=rid)
        scene.step("First.get", rid=rid)
        scene.step("Second.get", rid=rid)
    servers = [scene.bus.uuid(), scene.bus.uuid()]
    causes = [scene.hand("build_and_run_instance", server) for server in servers]
    first = scene.step("First.get", servers[0])
    second = scene.step("Second.get")
    memory = scene.memory()
    assert memory.parent(first.unique_id) == causes[0].unique_id
    assert memory.parent(second.unique_id) == causes[0].unique_id, "the other one has made no first step yet"


def test_rule_6_else_the_latest_delivered(scene: Scene) -> None:
    scene.hand("build_and_run_instance")
    cause = scene.hand("stop_instance")
    step = scene.step()
    assert scene.memory().parent(step.unique_id) == cause.unique_id


# ------------------------------------------------------------------ beside the rules


def test_a_save_with_a_stale_request_id_has_the_cause_of_what_it_follows(scene: Scene) -> None:
    stale, server = scene.bus.request_id(), scene.bus.uuid()
    cause = scene.hand("build_and_run_instance", server)
    save = scene.nova.track(scene.compute, scene.rid, stale=stale)
    memory = scene.memory()
    call = memory.call(save.unique_id)
    assert call.parent_unique_id == cause.unique_id
    assert (call.operation_id, call.cause_id) == (memory.operation(stale).id, memory.operation(scene.rid).id)
    found = memory.operation(scene.rid)
    assert (found.by_request.calls, found.by_cause.calls, found.by_cause.replies) == (1, 2, 2)
    assert memory.operation(stale).by_cause.messages == 0
    assert memory.operation(stale).by_request.messages == 2


def test_a_cause_that_becomes_known_later_takes_over_what_was_counted(scene: Scene) -> None:
    stale = scene.bus.request_id()
    scene.hand("build_and_run_instance")
    save = scene.nova.track(scene.compute, scene.rid, stale=stale)
    memory = record([*scene.bus.events, scene.bus.topology(), scene.bus.topology()], batch_events=1)
    assert memory.call(save.unique_id).cause_id == memory.operation(scene.rid).id
    assert memory.operation(stale).by_cause.messages == 0
    assert memory.operation(scene.rid).by_cause.calls == 2
    assert memory.operation(scene.rid).by_cause.copies == 5


def test_a_save_of_a_timer_stays_the_timers(scene: Scene) -> None:
    scene.hand("build_and_run_instance")
    timer = scene.bus.request_id()
    save = scene.nova.track(scene.compute, timer, stale=scene.rid)
    memory = scene.memory()
    assert memory.parent(save.unique_id) == ""
    assert memory.operation(timer).by_cause.calls == 2


def test_an_rpc_that_was_traced_before_the_delivery_that_caused_it_is_adopted(scene: Scene) -> None:
    cause = scene.hand("build_and_run_instance")
    step = scene.step()
    publish, deliver, *rest = scene.bus.events
    late = [scene.bus.topology(), publish, rest[0], replace(deliver, at_ns=rest[0].at_ns + 1_000), *rest[1:]]
    assert record(late).parent(step.unique_id) == cause.unique_id


def test_an_rpc_is_adopted_also_when_the_delivery_was_only_read_late(scene: Scene) -> None:
    cause = scene.hand("build_and_run_instance")
    step = scene.step()
    publish, deliver, *rest = scene.bus.events
    assert record([scene.bus.topology(), publish, *rest, deliver]).parent(step.unique_id) == cause.unique_id


def test_a_root_that_is_older_than_the_delivery_is_not_adopted(scene: Scene) -> None:
    root = scene.step()
    scene.bus.wait(1)
    scene.hand("build_and_run_instance")
    assert scene.memory().parent(root.unique_id) == ""


def test_a_root_has_no_parent(scene: Scene) -> None:
    root = scene.hand("schedule_and_build_instances", to=scene.nova.conductor)
    call = scene.memory().call(root.unique_id)
    assert (call.parent_id, call.parent_unique_id, call.parent_source) == (0, "", ParentSource.NONE)


def test_parents_of_a_boot_are_a_tree(scene: Scene) -> None:
    server = scene.bus.uuid()
    scene.nova.boot(scene.rid, [server])
    memory = scene.memory()
    names = {call.unique_id: call.method for call in memory.calls()} | {"": ""}
    edges = {(names[call.parent_unique_id], call.method.partition("(")[0]) for call in memory.calls()}
    assert edges == {
        ("", "schedule_and_build_instances"),
        ("schedule_and_build_instances", "select_destinations"),
        ("schedule_and_build_instances", "build_and_run_instance"),
        ("build_and_run_instance", "object_class_action_versions"),
        ("build_and_run_instance", "object_action"),
        ("build_and_run_instance", "update_instance_info"),
    }


def test_calls_nest_over_hosts(scene: Scene) -> None:
    server = scene.bus.uuid()
    scene.nova.live_migrate(scene.rid, server, "compute-1", "compute-2")
    memory = scene.memory()
    by_method = {call.method: call for call in memory.calls()}
    names = {call.unique_id: call.method for call in memory.calls()}
    check = by_method["check_can_live_migrate_source"]
    assert names[check.parent_unique_id] == "check_can_live_migrate_destination"
    assert names[by_method["pre_live_migration"].parent_unique_id] == "live_migration"


def test_a_fanout_is_in_the_hands_of_each_that_got_a_copy(scene: Scene) -> None:
    agents = [scene.nova.computes["compute-1"], scene.nova.computes["compute-2"]]
    told = scene.bus.fanout(scene.nova.conductor, agents, "compute", "refresh_everything", request_id=scene.rid)
    steps = [
        scene.bus.call(agent, scene.nova.conductor, "get_everything", {}, request_id=scene.rid) for agent in agents
    ]
    memory = scene.memory()
    assert [memory.call(step.unique_id).parent_unique_id for step in steps] == [told.unique_id] * 2


def test_who_began_an_operation_is_not_taken_for_who_has_it_in_hand(scene: Scene) -> None:
    api = scene.nova.api
    del api.sends[1:]
    scene.bus.cast(api, scene.nova.conductor, "migrate_server", {}, request_id=scene.rid)
    again = scene.bus.cast(api, scene.compute, "prep_resize", {}, request_id=scene.rid, server="compute-1")
    unnamed = record(scene.bus.events)
    assert unnamed.call(again.unique_id).parent_source is ParentSource.NONE
