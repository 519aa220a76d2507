"""Played messages look to rpcscope as nova's do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rpcscope.decode.args import display_method, instance_host, instances
from rpcscope.demo import bodies, failures
from rpcscope.demo.control import Casting
from rpcscope.demo.scenes import EVERY_INSTANCE, Step
from rpcscope.model import MessageKind
from rpcscope.rules import load_rules

ONE, TWO = "8ceb43a3-40b1-4864-bea5-05f81c2ac883", "af1ce4f1-91c1-4d27-8a7b-e0a17e09df5f"
CASTING = Casting("req-2", (ONE, TWO), {"source": "compute-1", "dest": "compute-2"}, 1.0)
EVENT = "object_class_action_versions(InstanceActionEvent.event_finish_with_failure)"


def step(method: str, **more: Any) -> Step:
    known: dict[str, Any] = {
        "namespace": "",
        "version": "3.0",
        "kind": MessageKind.CAST,
        "exchange": "nova",
        "topic": "conductor",
    }
    return Step(method=method, role_from="compute", role_to="conductor", **known | {"request_bytes": 3000} | more)


def args(of: Step) -> dict[str, Any]:
    sent = bodies.request(of, CASTING, (1, 2), bodies.context("req-2"))
    return json.loads(json.dumps(sent))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "method", ["live_migration", "object_action(Instance.save)", "object_action(Migration.save)", EVENT]
)
def test_the_method_is_decoded_as_recorded(method: str) -> None:
    one = step(method, instance=0)
    assert display_method(bodies.wire_method(one), args(one)) == method


@pytest.mark.parametrize(
    "method",
    [
        "build_and_run_instance",
        "object_action(Instance.save)",
        "object_action(InstanceInfoCache.refresh)",
        "object_class_action_versions(BlockDeviceMappingList.get_by_instance_uuid)",
        EVENT,
    ],
)
def test_the_server_of_a_step_is_decoded(method: str) -> None:
    assert instances(args(step(method, instance=1))) == (TWO,)


@pytest.mark.parametrize("method", ["schedule_and_build_instances", "select_destinations"])
def test_a_step_about_all_servers_names_them_all(method: str) -> None:
    assert instances(args(step(method, instance=EVERY_INSTANCE))) == (ONE, TWO)


def test_a_service_record_is_about_no_server() -> None:
    assert instances(args(step("object_class_action_versions(Service.get_by_compute_host)", instance=0))) == ()
    assert instances(args(step("object_action(ComputeNode.save)", instance=0))) == ()


def test_the_facts_that_the_rules_look_for_are_there() -> None:
    rules = load_rules()
    told = {
        method: rules.facts(method, args(step(method, instance=0, detail=detail)))
        for method, detail in {
            EVENT: "compute_live_migration",
            "object_action(Migration.save)": "completed",
            "rebuild_instance": "recreate",
        }.items()
    }
    assert told == {
        EVENT: {"event:compute_live_migration"},
        "object_action(Migration.save)": {"status:completed"},
        "rebuild_instance": {"recreate"},
    }


def test_a_server_says_on_which_host_it_was() -> None:
    assert instance_host(args(step("rebuild_instance", instance=0, detail="recreate"))) == "compute-1"


def test_a_step_smaller_than_what_it_must_tell_is_sent_without_padding() -> None:
    assert args(step("live_migration", instance=0, request_bytes=10))["padding"] == ""


def test_a_reply_without_room_is_none() -> None:
    assert bodies.result(step("ping", reply_bytes=100)) is None


def test_long_calls_are_watched() -> None:
    assert bodies.monitor_s(step("select_destinations", timeout_ms=1_800_000)) == 60
    assert bodies.monitor_s(step("object_action(Instance.save)", timeout_ms=60_000)) is None


def test_a_context_holds_no_token() -> None:
    assert bodies.context("req-2")["auth_token"] is None


def test_a_failure_has_the_recorded_name_and_is_found_again_by_it() -> None:
    assert failures.failure("NoValidHost").__name__ == "NoValidHost"
    assert failures.failure("NoValidHost") is failures.NoValidHost


def test_a_failure_whose_name_is_no_name_is_still_one() -> None:
    assert failures.failure("No Valid\x00Host").__name__ == "RecordedFailure"
