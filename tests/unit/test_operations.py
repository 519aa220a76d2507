"""Operations: what they are, how they end, what they wait for."""

from __future__ import annotations

import pytest

from rpcscope.model import Flag, Operation, Outcome, Status
from tests.support.bus import SECOND
from tests.support.memory import Memory, record
from tests.support.nova import BUILD, Nova, instance, nova_object


class Scene:
    """A control plane, a request id and a server; `now` is what a recorder makes of it."""

    def __init__(self) -> None:
        self.nova = Nova()
        self.bus = self.nova.bus
        self.rid = self.bus.request_id()
        self.server = self.bus.uuid()

    def memory(self, *, topology: bool = True) -> Memory:
        known = [self.bus.topology()] if topology else []
        return record([*known, *self.bus.events])

    def now(self) -> Operation:
        return self.memory().operation(self.rid)


@pytest.fixture
def scene() -> Scene:
    return Scene()


# ------------------------------------------------------------------ what it is


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("terminate_instance", "delete"),
        ("soft_delete_instance", "delete"),
        ("reboot_instance", "reboot"),
        ("stop_instance", "stop"),
        ("confirm_resize", "confirmResize"),
        ("snapshot_instance", "createImage"),
        ("set_admin_password", "changePassword"),
    ],
)
def test_the_first_control_rpc_tells_the_kind(scene: Scene, method: str, kind: str) -> None:
    scene.nova.on_compute(scene.rid, method, scene.server)
    found = scene.now()
    assert (found.kind, found.complete, found.source_host) == (kind, True, "compute-1")
    assert not found.background


def test_a_later_step_tells_the_kind_when_the_beginning_was_not_recorded(scene: Scene) -> None:
    scene.nova.build(scene.rid, scene.server, "compute-2")
    found = scene.now()
    assert (found.kind, found.complete, found.dest_host) == ("create", False, "compute-2")


def test_an_operation_that_lacks_its_beginning_is_not_called_done(scene: Scene) -> None:
    scene.nova.build(scene.rid, scene.server, "compute-2")
    scene.nova.spawn(scene.rid, scene.server, "compute-2")
    found = scene.now()
    assert (found.kind, found.complete, found.status) == ("create", False, Status.UNKNOWN)


def test_an_operation_that_lacks_its_beginning_and_fails_is_called_failed(scene: Scene) -> None:
    scene.nova.build(scene.rid, scene.server, "compute-2")
    scene.nova.spawn(scene.rid, scene.server, "compute-2", error="boom")
    assert scene.now().status is Status.FAILED


def test_the_beginning_may_be_read_after_a_later_step(scene: Scene) -> None:
    scene.nova.boot(scene.rid, [scene.server])
    first_two, rest = scene.bus.events[:2], scene.bus.events[2:]
    found = record([scene.bus.topology(), *rest[:8], *first_two, *rest[8:]]).operation(scene.rid)
    assert (found.kind, found.complete) == ("create", True)
    assert found.started_ns == first_two[0].at_ns


def test_a_timer_is_background(scene: Scene) -> None:
    rid = scene.nova.report_state(scene.nova.computes["compute-1"])
    found = scene.memory().operation(rid)
    assert (found.kind, found.background, found.status) == ("periodic:report_state", True, Status.DONE)


def test_a_call_that_no_rule_names_is_a_persons_and_named_after_its_method(scene: Scene) -> None:
    to = scene.nova.computes["compute-1"]
    scene.nova.ask(scene.nova.api, to, "get_vnc_console", {}, request_id=scene.rid, server="compute-1")
    found = scene.now()
    assert (found.kind, found.background, found.status) == ("get_vnc_console", False, Status.DONE)


def test_an_object_action_that_no_rule_names_is_a_timers(scene: Scene) -> None:
    scene.nova.action(scene.nova.computes["compute-1"], "InstanceList.get_by_host", scene.rid)
    found = scene.now()
    assert (found.kind, found.background) == ("periodic:InstanceList.get_by_host", True)


def test_a_person_is_stronger_evidence_than_a_timer(scene: Scene) -> None:
    scene.nova.save(scene.nova.computes["compute-1"], "Service", scene.rid)
    scene.nova.on_compute(scene.rid, "stop_instance", scene.server)
    assert scene.now().kind == "stop"


@pytest.mark.parametrize(("recreate", "kind"), [(True, "evacuate"), (False, "rebuild")])
def test_recreate_tells_an_evacuation_from_a_rebuild(scene: Scene, recreate: bool, kind: str) -> None:
    scene.nova.rebuild(scene.rid, scene.server, recreate=recreate)
    assert scene.now().kind == kind


@pytest.mark.parametrize(("same", "kind"), [(True, "migrate"), (False, "resize")])
def test_the_flavor_tells_a_migration_from_a_resize(scene: Scene, same: bool, kind: str) -> None:
    scene.nova.move(scene.rid, scene.server, same_flavor=same)
    assert scene.now().kind == kind


def test_an_evacuation_comes_from_where_its_server_was(scene: Scene) -> None:
    scene.nova.evacuate(scene.rid, scene.server, "compute-3", "compute-2")
    found = scene.now()
    assert (found.source_host, found.dest_host, found.status) == ("compute-3", "compute-2", Status.DONE)


def test_a_live_migration_has_both_hosts(scene: Scene) -> None:
    scene.nova.live_migrate(scene.rid, scene.server, "compute-1", "compute-3")
    found = scene.now()
    assert (found.kind, found.source_host, found.dest_host) == ("live-migration", "compute-1", "compute-3")
    assert found.status is Status.DONE


def test_its_servers_and_its_project_are_known(scene: Scene) -> None:
    scene.nova.boot(scene.rid, [scene.server])
    found = scene.now()
    assert found.instances == (scene.server,)
    assert found.project_id


def test_replies_without_a_request_are_gathered_in_an_operation_without_a_name(scene: Scene) -> None:
    scene.nova.report_state(scene.nova.computes["compute-1"])
    memory = record(scene.bus.events[2:])
    found = memory.operation("")
    assert (found.by_request.replies, found.by_request.copies, found.background) == (1, 1, True)
    (call,) = memory.calls()
    assert call.flags & Flag.NO_REQUEST


# ------------------------------------------------------------------ how it ends


def test_a_boot_is_done_when_its_event_has_finished(scene: Scene) -> None:
    scene.nova.boot(scene.rid, [scene.server])
    found = scene.now()
    assert (found.status, found.owed_call, found.finished_ns) == (Status.DONE, 0, scene.bus.events[-1].at_ns)


def test_a_boot_is_done_also_when_nobody_says_which_connections_are_one_process(scene: Scene) -> None:
    scene.nova.boot(scene.rid, [scene.server])
    assert scene.memory(topology=False).operation(scene.rid).status is Status.DONE


def test_a_boot_is_done_also_when_only_publishes_are_seen(scene: Scene) -> None:
    scene.nova.boot(scene.rid, [scene.server])
    publishes = [one for one in scene.bus.events if one.routing_key.startswith("publish")]
    found = record([scene.bus.topology(), *publishes]).operation(scene.rid)
    assert (found.status, found.owed_call) == (Status.DONE, 0)


def test_a_boot_is_running_while_its_event_has_not_finished(scene: Scene) -> None:
    scene.nova.schedule(scene.rid, [scene.server])
    scene.nova.select(scene.rid, [scene.server])
    build = scene.nova.build(scene.rid, scene.server, "compute-2")
    scene.nova.event_start(scene.nova.computes["compute-2"], BUILD, scene.rid, scene.server)
    memory = scene.memory()
    found = memory.operation(scene.rid)
    assert (found.status, found.finished_ns) == (Status.RUNNING, None)
    assert (found.owed_call, found.owed_method) == (memory.call(build.unique_id).id, "build_and_run_instance")
    assert (found.owed_host, found.owed_since_ns) == ("compute-2", build.published_ns)
    assert memory.process(found.owed_process).host == "compute-2"


def test_a_boot_whose_compute_is_down_waits_for_a_cast_that_nobody_took(scene: Scene) -> None:
    scene.nova.schedule(scene.rid, [scene.server])
    scene.nova.select(scene.rid, [scene.server])
    scene.nova.build(scene.rid, scene.server, "compute-2", taken=False)
    found = scene.now()
    assert (found.status, found.owed_host, found.owed_process) == (Status.RUNNING, "compute-2", 0)


def test_an_unanswered_call_is_owed_before_the_cast_that_made_it(scene: Scene) -> None:
    scene.nova.schedule(scene.rid, [scene.server])
    bus, nova = scene.bus, scene.nova
    asked = bus.call(nova.conductor, nova.scheduler, "select_destinations", {}, request_id=scene.rid)
    memory = scene.memory()
    found = memory.operation(scene.rid)
    assert (found.status, found.owed_method) == (Status.RUNNING, "select_destinations")
    assert (found.owed_host, found.owed_since_ns) == ("ctl", asked.published_ns)


def test_later_traffic_opens_it_again(scene: Scene) -> None:
    scene.nova.on_compute(scene.rid, "stop_instance", scene.server)
    stop = "compute_stop_instance"
    scene.nova.event_start(scene.nova.computes["compute-1"], stop, scene.rid, scene.server)
    scene.nova.event_finish(scene.nova.computes["compute-1"], stop, scene.rid, scene.server)
    memory = record([scene.bus.topology(), *scene.bus.events], ended=False)
    assert memory.operation(scene.rid).status is Status.DONE
    done = len(scene.bus.events)
    scene.nova.on_compute(scene.rid, "start_instance", scene.server)
    record(scene.bus.events[done:], into=memory)
    assert [one.status for one in memory.parts(scene.rid)].count(Status.RUNNING) == 1


def test_a_boot_of_several_is_done_when_all_of_them_are(scene: Scene) -> None:
    servers = [scene.bus.uuid() for _ in range(3)]
    scene.nova.schedule(scene.rid, servers)
    scene.nova.select(scene.rid, servers)
    for number, server in enumerate(servers, 1):
        scene.nova.build(scene.rid, server, f"compute-{number}")
    for number, server in enumerate(servers, 1):
        assert scene.now().status is Status.RUNNING
        scene.nova.spawn(scene.rid, server, f"compute-{number}")
    found = scene.now()
    assert (found.status, len(found.instances)) == (Status.DONE, 3)


def test_no_valid_host_fails_a_boot(scene: Scene) -> None:
    scene.nova.schedule(scene.rid, [scene.server])
    scene.nova.select(scene.rid, [scene.server], failure="NoValidHost")
    found = scene.now()
    assert (found.status, found.error, found.owed_call) == (Status.FAILED, "NoValidHost", 0)


def test_a_build_that_fails_fails_the_boot(scene: Scene) -> None:
    scene.nova.schedule(scene.rid, [scene.server])
    scene.nova.select(scene.rid, [scene.server])
    scene.nova.build(scene.rid, scene.server, "compute-1")
    scene.nova.spawn(scene.rid, scene.server, "compute-1", error="no disk")
    found = scene.now()
    assert found.status is Status.FAILED
    assert found.error
    assert "no disk" not in found.error, "the message of an exception is not for the store"


@pytest.mark.parametrize("topology", [True, False])
def test_a_boot_that_is_scheduled_again_succeeds(scene: Scene, topology: bool) -> None:
    nova, rid, server = scene.nova, scene.rid, scene.server
    nova.schedule(rid, [server])
    nova.select(rid, [server])
    nova.build(rid, server, "compute-1")
    with nova.event(nova.computes["compute-1"], BUILD, rid, server, error="no claim"):
        args = {"instances": [instance(server)]}
        scene.bus.cast(nova.computes["compute-1"], nova.conductor, "build_instances", args, request_id=rid)
    nova.select(rid, [server])
    nova.build(rid, server, "compute-2")
    nova.spawn(rid, server, "compute-2")
    found = scene.memory(topology=topology).operation(rid)
    assert (found.status, found.error, found.dest_host) == (Status.DONE, "", "compute-2")


@pytest.mark.parametrize(("status", "expected"), [("completed", Status.DONE), ("error", Status.FAILED)])
def test_a_live_migration_ends_as_its_migration_says(scene: Scene, status: str, expected: Status) -> None:
    scene.nova.live_migrate(scene.rid, scene.server, "compute-1", "compute-3", status=status)
    found = scene.now()
    assert (found.status, found.owed_call) == (expected, 0)


def test_a_failure_that_is_normal_does_not_fail_it(scene: Scene) -> None:
    scene.nova.on_compute(scene.rid, "stop_instance", scene.server)
    compute = scene.nova.computes["compute-1"]
    with scene.nova.event(compute, "compute_stop_instance", scene.rid, scene.server):
        name = "InstanceGroup.get_by_instance_uuid"
        asked = scene.nova.action(compute, name, scene.rid, [scene.server], failure="InstanceGroupNotFound")
    memory = scene.memory()
    assert memory.operation(scene.rid).status is Status.DONE
    call = memory.call(asked.unique_id)
    assert call.outcome is Outcome.FAILED
    assert call.flags & Flag.EXPECTED_FAILURE


def test_a_caller_whose_time_is_over_fails_it(scene: Scene) -> None:
    compute = scene.nova.computes["compute-1"]
    scene.bus.call(scene.nova.api, compute, "get_console_output", {}, request_id=scene.rid, server="compute-1")
    scene.bus.wait(61)
    scene.nova.report_state(compute)
    found = scene.now()
    assert (found.status, found.error) == (Status.FAILED, "MessagingTimeout")


def test_a_cast_whose_end_nothing_tells_is_not_waited_for(scene: Scene) -> None:
    args = {"instance": instance(scene.server), "events": [nova_object("InstanceExternalEvent")]}
    to = scene.nova.computes["compute-1"]
    scene.bus.cast(scene.nova.api, to, "external_instance_event", args, request_id=scene.rid, server="compute-1")
    found = scene.now()
    assert (found.status, found.owed_call) == (Status.UNKNOWN, 0)


def test_an_event_that_began_before_the_recording_is_waited_for(scene: Scene) -> None:
    compute = scene.nova.computes["compute-1"]
    scene.nova.event_start(compute, BUILD, scene.rid, scene.server)
    assert scene.now().status is Status.RUNNING
    scene.nova.event_finish(compute, BUILD, scene.rid, scene.server)
    assert scene.now().status is Status.UNKNOWN


@pytest.mark.parametrize("swapped", ["start", "cast"])
def test_a_finish_that_is_read_before_what_it_ends_ends_it(scene: Scene, swapped: str) -> None:
    nova, rid, server = scene.nova, scene.rid, scene.server
    nova.on_compute(rid, "stop_instance", server)
    mark = len(scene.bus.events)
    nova.event_start(nova.computes["compute-1"], "compute_stop_instance", rid, server)
    middle = len(scene.bus.events)
    nova.event_finish(nova.computes["compute-1"], "compute_stop_instance", rid, server)
    events = scene.bus.events
    late = events[:mark] if swapped == "cast" else events[mark:middle]
    rest = [one for one in events if one not in late]
    found = record([scene.bus.topology(), *rest, *late]).operation(rid)
    assert (found.status, found.owed_call) == (Status.DONE, 0)


def test_a_relay_whose_delivery_is_read_late_is_over(scene: Scene) -> None:
    scene.nova.boot(scene.rid, [scene.server])
    publish, deliver, *rest = scene.bus.events
    build = next(n for n, one in enumerate(rest) if one.routing_key == "deliver.compute.compute-1")
    found = record([scene.bus.topology(), publish, *rest[:build], deliver, *rest[build:]]).operation(scene.rid)
    assert (found.status, found.owed_call) == (Status.DONE, 0)


def test_a_relay_that_is_read_after_what_it_made_is_over(scene: Scene) -> None:
    scene.nova.boot(scene.rid, [scene.server])
    publishes = [one for one in scene.bus.events if one.routing_key.startswith("publish")]
    build = next(n for n, one in enumerate(publishes) if b"build_and_run_instance" in one.body)
    found = record([*publishes[1 : build + 1], publishes[0], *publishes[build + 1 :]]).operation(scene.rid)
    assert (found.status, found.owed_call) == (Status.DONE, 0)


# ------------------------------------------------------------------ over a restart of the recorder


def test_a_stuck_boot_is_still_stuck_after_the_recorder_was_restarted(scene: Scene) -> None:
    nova, rid, server = scene.nova, scene.rid, scene.server
    nova.schedule(rid, [server])
    nova.select(rid, [server])
    build = nova.build(rid, server, "compute-2")
    nova.event_start(nova.computes["compute-2"], BUILD, rid, server)
    scene.bus.wait(30)
    nova.report_state(nova.computes["compute-1"])
    memory = record([scene.bus.topology(), *scene.bus.events])
    before, here = memory.operation(rid), len(scene.bus.events)
    nova.save(nova.computes["compute-2"], "Instance", rid, server)
    record(scene.bus.events[here:], into=memory)
    after = memory.operation(rid)
    assert (before.status, after.status) == (Status.RUNNING, Status.RUNNING)
    assert (after.owed_call, after.owed_since_ns) == (before.owed_call, build.published_ns)
    here = len(scene.bus.events)
    nova.event_finish(nova.computes["compute-2"], BUILD, rid, server)
    record(scene.bus.events[here:], into=memory)
    assert memory.operation(rid).status is Status.DONE


def test_a_cast_is_open_as_long_as_its_work_goes_on(scene: Scene) -> None:
    stop = scene.nova.on_compute(scene.rid, "stop_instance", scene.server)
    scene.bus.wait(120)
    scene.nova.report_state(scene.nova.computes["compute-1"])
    memory = record([scene.bus.topology(), *scene.bus.events], ended=False)
    assert not memory.call(stop.unique_id).closed
    here = len(scene.bus.events)
    compute = scene.nova.computes["compute-1"]
    scene.nova.event_finish(compute, "compute_stop_instance", scene.rid, scene.server)
    scene.bus.wait(5)
    scene.nova.report_state(compute)
    record(scene.bus.events[here:], into=memory)
    assert memory.call(stop.unique_id).closed


@pytest.mark.parametrize("ended", [True, False])
def test_a_boot_that_is_done_stays_done_when_the_recorder_is_restarted(scene: Scene, ended: bool) -> None:
    scene.nova.boot(scene.rid, [scene.server])
    memory, here = record([scene.bus.topology(), *scene.bus.events], ended=ended), len(scene.bus.events)
    scene.nova.save(scene.nova.conductor, "Instance", scene.rid, scene.server)
    record([scene.bus.topology(), *scene.bus.events[here:]], into=memory)
    assert Status.RUNNING not in {one.status for one in memory.parts(scene.rid)}
    assert Status.DONE in {one.status for one in memory.parts(scene.rid)}


def test_what_came_after_the_end_counts_but_does_not_prolong_a_boot(scene: Scene) -> None:
    scene.nova.boot(scene.rid, [scene.server])
    compute, other = scene.nova.computes["compute-1"], scene.bus.request_id()
    end_ns = scene.bus.events[-1].at_ns
    scene.bus.wait(60)
    scene.nova.track(compute, other, stale=scene.rid)
    memory = scene.memory()
    found = memory.operation(scene.rid)
    assert found.status is Status.DONE
    assert found.finished_ns is not None
    assert found.finished_ns - end_ns < SECOND, "a stale request id made the boot a minute longer"
    assert memory.operation(other).by_cause.calls == 2
    assert (found.by_request.calls, found.by_cause.calls) == (8, 7)
