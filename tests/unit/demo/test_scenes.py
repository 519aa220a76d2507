"""Records become call trees that can be played."""

from __future__ import annotations

from typing import Any

import msgspec

from rpcscope.demo.control import Casting, Rehearse
from rpcscope.demo.scenes import EVERY_INSTANCE, Scene, scenes, walk
from rpcscope.demo.script import Script
from rpcscope.model import Call, Clock, MessageKind, Operation, Outcome, ParentSource, Process, Status, Tally

MS = 1_000_000
START = "object_class_action_versions(InstanceActionEvent.event_start)"
SAVE = "object_action(Migration.save)"


def call(id: int, method: str, at_ms: int, parent: int = 0, **more: Any) -> Call:
    known: dict[str, Any] = {
        "kind": MessageKind.REQUEST,
        "outcome": Outcome.OK,
        "flags": 0,
        "unique_id": f"{id:032x}",
        "msg_id": f"{id:032x}",
        "operation_id": 1,
        "cause_id": 1,
        "parent_unique_id": "",
        "parent_source": ParentSource.INFERRED,
        "namespace": "",
        "version": "3.0",
        "exchange": "nova",
        "topic": "conductor",
        "server": "",
        "from_process": 0,
        "to_process": 0,
        "published_ns": at_ms * MS,
        "delivered_ns": (at_ms + 1) * MS,
        "replied_ns": (at_ms + 5) * MS,
        "reply_delivered_ns": (at_ms + 6) * MS,
        "last_ns": (at_ms + 6) * MS,
        "expiration_ms": 60_000,
        "clock": Clock.TAP,
        "publishes": 1,
        "replies": 1,
        "heartbeats": 0,
        "copies": 2,
        "request_bytes": 2000,
        "reply_bytes": 300,
        "routed": 1,
        "failure": "",
    }
    return Call(id=id, method=method, parent_id=parent, **known | more)


def cast(id: int, method: str, at_ms: int, parent: int = 0, **more: Any) -> Call:
    silent = {
        "kind": MessageKind.CAST,
        "outcome": Outcome.NONE,
        "msg_id": "",
        "replied_ns": None,
        "reply_delivered_ns": None,
    }
    return call(id, method, at_ms, parent, **silent | {"replies": 0, "reply_bytes": 0, "expiration_ms": None} | more)


def operation(**more: Any) -> Operation:
    known: dict[str, Any] = {
        "id": 1,
        "request_id": "req-1",
        "global_request_id": "",
        "kind": "live-migration",
        "kind_rank": 9,
        "background": False,
        "status": Status.DONE,
        "error": "",
        "instances": ("one",),
        "source_host": "a",
        "dest_host": "b",
        "project_id": "",
        "started_ns": 0,
        "last_ns": 0,
        "finished_ns": 0,
        "complete": True,
        "by_request": Tally(),
        "by_cause": Tally(),
        "owed_call": 0,
        "owed_method": "",
        "owed_process": 0,
        "owed_host": "",
        "owed_since_ns": None,
    }
    return Operation(**known | more)


def process(id: int, role: str, host: str = "") -> Process:
    return Process(id=id, key=str(id), program="", pid=id, peer="", host=host, role=role, seen_ns=0, gone_ns=None)


def only(*calls: Call, processes: tuple[Process, ...] = (), **more: Any) -> Scene:
    (scene,) = scenes([operation(**more)], calls, processes)
    return scene


def test_parents_become_trees_and_siblings_are_in_the_order_of_their_publish() -> None:
    scene = only(
        cast(1, "live_migrate_instance", 0), call(3, "second", 50, 1), call(2, "first", 10, 1), call(4, "inner", 52, 3)
    )
    assert [step.method for step in walk(scene.roots)] == ["live_migrate_instance", "first", "second", "inner"]
    assert [step.method for step in scene.roots[0].children] == ["first", "second"]


def test_calls_belong_to_the_operation_that_made_them_happen() -> None:
    scene = only(call(1, "own", 0), call(2, "stale", 1, operation_id=9), call(3, "foreign", 2, cause_id=9))
    assert [(step.method, step.stale) for step in scene.roots] == [("own", False), ("stale", True)]


def test_an_operation_without_rpcs_is_no_scene() -> None:
    notification = call(1, "instance.create.end", 0, kind=MessageKind.NOTIFICATION)
    assert scenes([operation()], [notification], []) == []


def test_a_handler_s_time_is_split_into_what_lies_before_its_children_and_after_them() -> None:
    parent = call(1, "outer", 0, delivered_ns=2 * MS, replied_ns=40 * MS)
    scene = only(parent, call(2, "inner", 10, 1), cast(3, "aside", 20, 1))
    outer = scene.roots[0]
    assert [child.delay_ns // MS for child in outer.children] == [8, 4]  # from 2 to 10; from 16, its answer, to 20
    assert outer.service_ns == 20 * MS  # from 20, the cast, to 40
    assert outer.children[1].service_ns == 0


def test_roots_are_timed_from_each_other_s_publish() -> None:
    scene = only(call(1, "one", 5), call(2, "two", 7), call(3, "three", 30))
    assert [root.delay_ns // MS for root in scene.roots] == [0, 2, 23]


def test_a_publish_that_was_not_seen_counts_from_its_delivery() -> None:
    scene = only(call(1, "one", 5, published_ns=None), call(2, "two", 9))
    assert [root.delay_ns // MS for root in scene.roots] == [0, 3]


def test_hosts_become_the_parts_they_play() -> None:
    processes = (process(7, "conductor", "controller"), process(8, "compute", "b"))
    scene = only(
        call(1, "check_can_live_migrate_destination", 0, topic="compute", server="b", from_process=7),
        call(2, "check_can_live_migrate_source", 2, 1, topic="compute-alt", server="a", from_process=8),
        call(3, "elsewhere", 3, 1, topic="compute", server="c", from_process=8),
        processes=processes,
    )
    steps = list(walk(scene.roots))
    assert [(step.role_from, step.host_from, step.role_to, step.host_to) for step in steps] == [
        ("conductor", "", "compute", "dest"),
        ("compute", "dest", "compute", "source"),
        ("compute", "dest", "compute", "c"),
    ]
    assert steps[1].topic == "compute-alt"


def test_an_unknown_sender_is_who_handled_the_parent_or_the_api() -> None:
    scene = only(cast(1, "live_migrate_instance", 0), call(2, "select_destinations", 2, 1, topic="scheduler"))
    assert [step.role_from for step in walk(scene.roots)] == ["api", "conductor"]


def test_a_fanout_goes_to_the_topic_that_its_exchange_names() -> None:
    scene = only(cast(1, "update_instance_info", 0, kind=MessageKind.FANOUT, exchange="scheduler_fanout", topic=""))
    assert (scene.roots[0].topic, scene.roots[0].role_to) == ("scheduler", "scheduler")


def test_a_message_sent_twice_has_the_size_of_one() -> None:
    scene = only(call(1, "one", 0, publishes=2, request_bytes=5000, replies=2, reply_bytes=600))
    assert (scene.roots[0].request_bytes, scene.roots[0].reply_bytes) == (2500, 300)


def test_with_several_servers_each_has_the_branch_that_was_sent_for_it() -> None:
    scene = only(
        cast(1, "schedule_and_build_instances", 0),
        call(2, "select_destinations", 1, 1),
        cast(3, "build_and_run_instance", 20, 1),
        cast(4, "build_and_run_instance", 21, 1),
        call(5, START, 30, 4),
        instances=("one", "two"),
    )
    assert [step.instance for step in walk(scene.roots)] == [EVERY_INSTANCE, EVERY_INSTANCE, 0, 1, 1]


def test_action_events_are_named_by_what_is_being_done() -> None:
    scene = only(
        cast(1, "build_and_run_instance", 0, topic="compute"),
        call(2, START, 2, 1),
        cast(3, "live_migration", 5, topic="compute-alt"),
        call(4, START, 8, 3),
    )
    details = [step.detail for step in walk(scene.roots) if step.method == START]
    assert details == ["compute__do_build_and_run_instance", "compute_live_migration"]


def test_the_last_save_of_a_migration_tells_how_it_ended() -> None:
    saves = [call(n, SAVE, n) for n in range(1, 6)]
    assert [step.detail for step in only(*saves).roots] == ["queued", "preparing", "running", "running", "completed"]
    assert [step.detail for step in only(*saves[:2], status=Status.FAILED).roots] == ["queued", "error"]
    assert [step.detail for step in only(*saves[:2], kind="evacuate").roots] == ["pre-migrating", "done"]


def test_an_evacuation_s_rebuild_is_known_from_one_in_place() -> None:
    assert only(cast(1, "rebuild_instance", 0), kind="evacuate").roots[0].detail == "recreate"
    assert only(cast(1, "rebuild_instance", 0), kind="rebuild").roots[0].detail == ""


def test_a_script_numbers_steps_as_they_are_walked() -> None:
    scene = only(call(1, "a", 0), call(2, "b", 1, 1), call(3, "c", 2, 2), call(4, "d", 9, 1), call(5, "e", 20))
    script = Script(scene, Casting("req-2", (), {}, 1.0))
    assert [step.method for step in script.steps] == ["a", "b", "c", "d", "e"]
    assert script.children == [[1, 3], [2], [], [], []]
    assert script.roots == [0, 4]


def test_a_scene_reaches_a_service_as_it_was_sent() -> None:
    scene = only(cast(1, "live_migration", 0), call(2, START, 2, 1, failure="InstanceNotFound"))
    order = Rehearse(1, scene, Casting("req-2", ("one",), {"source": "compute-1"}, 2.0))
    assert msgspec.json.decode(msgspec.json.encode(order), type=Rehearse) == order
