"""What notifications tell of an operation, beside its RPCs and alone."""

from __future__ import annotations

from typing import Any

import pytest

from rpcscope.model import Noted, Operation, ProgressSample, Status
from tests.support.bus import SECOND
from tests.support.memory import Memory, record
from tests.support.nova import Nova, nova_object


class Scene:
    """A control plane that notifies, a request id and a server."""

    def __init__(self) -> None:
        self.nova = Nova()
        self.bus = self.nova.bus
        self.rid = self.bus.request_id()
        self.server = self.bus.uuid()

    def tell(self, event: str, failure: str = "", server: str = "", **data: Any) -> None:
        """A versioned notification of a compute."""
        fault = nova_object("ExceptionPayload", exception=failure, exception_message="PS7q") if failure else None
        payload = nova_object("InstanceCreatePayload", uuid=server or self.server, fault=fault, **data)
        self.bus.notify(self.nova.computes["compute-1"], event, self.rid, payload=payload)

    def memory(self) -> Memory:
        return record([self.bus.topology(), *self.bus.events])

    def now(self) -> Operation:
        return self.memory().operation(self.rid)


@pytest.fixture
def scene() -> Scene:
    return Scene()


# ------------------------------------------------------------------ beside RPCs


def test_a_boot_whose_rpcs_look_fine_failed_when_a_notification_says_so(scene: Scene) -> None:
    scene.tell("instance.create.start")
    scene.nova.boot(scene.rid, [scene.server])
    assert scene.now().status is Status.DONE
    scene.tell("instance.create.error", "BuildAbortException")
    found = scene.now()
    assert (found.kind, found.status, found.error) == ("create", Status.FAILED, "BuildAbortException")


def test_the_class_stands_also_when_the_rpcs_end_well_after_it(scene: Scene) -> None:
    scene.nova.schedule(scene.rid, [scene.server])
    scene.nova.select(scene.rid, [scene.server])
    scene.nova.build(scene.rid, scene.server, "compute-1")
    scene.tell("instance.create.error", "BuildAbortException")
    assert scene.now().status is Status.RUNNING
    scene.nova.spawn(scene.rid, scene.server, "compute-1")
    assert (scene.now().status, scene.now().error) == (Status.FAILED, "BuildAbortException")


def test_a_build_that_is_tried_elsewhere_and_ends_well_is_done(scene: Scene) -> None:
    scene.nova.boot(scene.rid, [scene.server])
    scene.tell("instance.create.error", "RescheduledException")
    scene.nova.build(scene.rid, scene.server, "compute-2")
    scene.nova.spawn(scene.rid, scene.server, "compute-2")
    scene.tell("instance.create.end")
    assert (scene.now().status, scene.now().error) == (Status.DONE, "")


def test_of_two_servers_one_that_ends_well_does_not_excuse_the_other(scene: Scene) -> None:
    other = scene.bus.uuid()
    scene.nova.boot(scene.rid, [scene.server, other])
    scene.tell("instance.create.error", "BuildAbortException")
    scene.tell("instance.create.end", server=other)
    assert (scene.now().status, scene.now().error) == (Status.FAILED, "BuildAbortException")


def test_the_class_says_more_than_an_action_event_that_names_none(scene: Scene) -> None:
    scene.nova.schedule(scene.rid, [scene.server])
    scene.nova.select(scene.rid, [scene.server])
    scene.nova.build(scene.rid, scene.server, "compute-1")
    scene.nova.spawn(scene.rid, scene.server, "compute-1", error="PS7q")
    assert scene.now().error == "compute__do_build_and_run_instance failed"
    scene.tell("instance.create.error", "VirtualInterfaceCreateException")
    assert scene.now().error == "VirtualInterfaceCreateException"


def test_a_failure_that_names_no_class_is_known_by_its_event(scene: Scene) -> None:
    scene.nova.boot(scene.rid, [scene.server])
    payload = {"instance_id": scene.server, "exception": "PS7q secret", "message": "PS7q"}
    scene.bus.notify(scene.nova.computes["compute-1"], "compute.instance.create.error", scene.rid, payload=payload)
    assert (scene.now().status, scene.now().error) == (Status.FAILED, "compute.instance.create.error")


def test_an_exception_that_a_method_raised_is_told_and_is_no_failure_of_the_operation(scene: Scene) -> None:
    scene.nova.boot(scene.rid, [scene.server])
    payload = nova_object("ExceptionPayload", exception="InstanceNotFound", exception_message="PS7q")
    scene.bus.notify(scene.nova.computes["compute-1"], "compute.exception", scene.rid, payload=payload)
    memory = scene.memory()
    assert memory.operation(scene.rid).status is Status.DONE
    assert [one.failure for one in notices(memory)] == ["InstanceNotFound"]


# ------------------------------------------------------------------ alone


def test_notifications_alone_make_an_operation_with_its_kind_and_server(scene: Scene) -> None:
    scene.tell("instance.create.start", state="building")
    found = scene.now()
    assert (found.kind, found.status, found.instances) == ("create", Status.RUNNING, (scene.server,))
    scene.tell("instance.create.end", state="active")
    found = scene.now()
    assert (found.status, found.by_request.notifications, found.by_request.rpcs) == (Status.DONE, 2, 0)
    assert not found.background


def test_alone_they_tell_of_a_failure(scene: Scene) -> None:
    scene.tell("instance.reboot.start")
    scene.tell("instance.reboot.error", "LibvirtError")
    found = scene.now()
    assert (found.kind, found.status, found.error) == ("reboot", Status.FAILED, "LibvirtError")


def test_a_live_migration_is_not_over_when_its_first_step_is(scene: Scene) -> None:
    for phase in ("start", "end"):
        scene.tell(f"instance.live_migration_pre.{phase}")
    assert (scene.now().kind, scene.now().status) == ("live-migration", Status.UNKNOWN)
    scene.tell("instance.live_migration_post.start")
    assert scene.now().status is Status.RUNNING
    scene.tell("instance.live_migration_post.end")
    assert scene.now().status is Status.DONE


def test_the_kind_that_rpcs_speak_for_counts_more(scene: Scene) -> None:
    scene.tell("instance.delete.start")
    scene.nova.boot(scene.rid, [scene.server])
    assert (scene.now().kind, scene.now().status) == ("create", Status.DONE)


# ------------------------------------------------------------------ what goes to the store


def notices(memory: Memory) -> list[Noted]:
    return [one for batch in memory.batches for one in batch.notices]


def samples(memory: Memory) -> list[ProgressSample]:
    return [one for batch in memory.batches for one in batch.progress]


def test_a_notification_is_noted_once_however_many_take_it(scene: Scene) -> None:
    scene.tell("instance.update", host="compute-1", state="building", task_state="spawning")
    rpc = scene.bus.notify(scene.nova.computes["compute-1"], "instance.exists", scene.rid, scene.server)
    for reader in (scene.nova.api, scene.nova.scheduler):
        scene.bus.deliver(rpc, reader, queue="versioned_notifications.info")
    memory = scene.memory()
    (first, second), operation = notices(memory), memory.operation(scene.rid)
    assert (first.event, first.notice.task_state, first.operation_id) == ("instance.update", "spawning", operation.id)
    assert (second.event, second.instance) == ("instance.exists", scene.server)


def test_each_save_of_a_migration_is_a_sample_of_its_progress(scene: Scene) -> None:
    compute = scene.nova.computes["compute-1"]
    for remaining in (8, 5, 2):
        scene.nova.save(
            compute, "Migration", scene.rid, scene.server, status="running", memory_total=8, memory_remaining=remaining
        )
        scene.bus.wait(5)
    found = samples(scene.memory())
    assert [one.progress.memory_remaining for one in found] == [8, 5, 2]
    assert {one.instance for one in found} == {scene.server}
    assert found[-1].at_ns - found[0].at_ns >= 10 * SECOND
