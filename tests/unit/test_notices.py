"""What a notification tells of a server, and a migration of its copy: known words and numbers, nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from rpcscope.capture import Pseudonyms, Scrubber
from rpcscope.decode import Decoder
from rpcscope.errors import UsageError
from rpcscope.model import Message, Notice, Progress
from rpcscope.rules import load_rules
from tests.support.wire import INSTANCE, bare, enveloped, request, seen

MIGRATION = "2f58666f-6fa2-4915-b79c-d9829f11798c"
SECRET = "hunter2 at /etc/keys"
GIB = 1 << 30


def versioned(name: str, **data: Any) -> dict[str, Any]:
    return {"nova_object.name": name, "nova_object.namespace": "nova", "nova_object.data": data}


def created(**data: Any) -> dict[str, Any]:
    fault = versioned("ExceptionPayload", exception="NoValidHost", exception_message=SECRET, traceback=SECRET)
    told = {"uuid": INSTANCE, "host": "compute-1", "state": "building", "task_state": "spawning", "progress": 0}
    return {
        "event_type": "instance.create.error",
        "publisher_id": "nova-compute:compute-1",
        "priority": "ERROR",
        "payload": versioned("InstanceCreatePayload", **(told | {"fault": fault, "display_name": SECRET} | data)),
    }


def saved(**data: Any) -> dict[str, Any]:
    made = {
        "uuid": MIGRATION, "instance_uuid": INSTANCE, "status": "running", "memory_total": 8 * GIB,
        "memory_processed": 3 * GIB, "memory_remaining": 5 * GIB, "disk_total": 0, "disk_processed": 0,
        "disk_remaining": 0,
    }  # fmt: skip
    action = {"objinst": versioned("Migration", **(made | data)), "objmethod": "save", "args": [], "kwargs": {}}
    return request(method="object_action", args=action)


def of(inner: dict[str, Any], envelope: Any = enveloped) -> Message:
    message = Decoder(load_rules()).decode(seen(envelope(inner)))
    assert isinstance(message, Message)
    return message


def scrubbed(inner: dict[str, Any], names: Pseudonyms | None = None) -> Message:
    kept = Scrubber(load_rules(), names).observation(seen(enveloped(inner)))
    assert kept is not None
    assert SECRET.encode() not in kept.body
    message = Decoder(load_rules()).decode(kept)
    assert isinstance(message, Message)
    return message


def test_a_versioned_notification_tells_server_host_states_and_the_class_of_its_fault() -> None:
    message = of(created())
    assert message.instances == (INSTANCE,)
    assert message.failure == "NoValidHost"
    assert message.notice == Notice(
        publisher="nova-compute:compute-1", host="compute-1", state="building", task_state="spawning"
    )


def test_an_unversioned_notification_tells_the_same_without_the_class_that_it_does_not_name() -> None:
    payload = {
        "instance_id": INSTANCE, "host": "compute-1", "state": "error", "state_description": "spawning",
        "exception": SECRET, "message": SECRET, "display_name": SECRET,
    }  # fmt: skip
    inner = {"event_type": "compute.instance.create.error", "publisher_id": "compute.compute-1", "payload": payload}
    for envelope in (bare, enveloped):
        message = of(inner, envelope)
        assert (message.instances, message.failure) == ((INSTANCE,), "")
        assert message.notice == Notice(
            publisher="compute.compute-1", host="compute-1", state="error", task_state="spawning"
        )


def test_a_fault_in_a_conductors_task_is_its_reason() -> None:
    reason = versioned("ExceptionPayload", exception="NoValidHost", exception_message=SECRET)
    payload = versioned("ComputeTaskPayload", instance_uuid=INSTANCE, state="error", reason=reason)
    message = of({"event_type": "compute_task.build_instances.error", "payload": payload})
    assert (message.instances, message.failure) == ((INSTANCE,), "NoValidHost")
    assert message.notice is not None
    assert message.notice.state == "error"


@pytest.mark.parametrize("said", [SECRET, 7, ["spawning"], "\u202espawning", "Spawning", "x" * 100])
def test_a_state_that_is_no_known_kind_of_word_is_not_told(said: Any) -> None:
    notice = of(created(state=said, task_state=said)).notice
    assert notice is not None
    assert (notice.state, notice.task_state) == ("", "")


@pytest.mark.parametrize(("said", "told"), [(0, None), (40, 40), (100, 100), (101, None), (True, None), ("40", None)])
def test_progress_in_percent_is_told_where_somebody_told_it(said: Any, told: int | None) -> None:
    notice = of(created(progress=said)).notice
    assert notice is not None
    assert notice.percent == told


@pytest.mark.parametrize("payload", [None, 7, "x", [], {}, {"nova_object.data": 7}, {"uuid": {"uuid": INSTANCE}}])
def test_a_payload_of_any_other_shape_tells_nothing(payload: Any) -> None:
    message = of({"event_type": "instance.create.start", "payload": payload})
    assert (message.instances, message.failure, message.notice) == ((), "", Notice())


def test_a_saved_migration_tells_how_far_its_copy_is() -> None:
    assert of(saved()).progress == Progress(
        migration=MIGRATION, status="running", memory_total=8 * GIB, memory_processed=3 * GIB,
        memory_remaining=5 * GIB, disk_total=0, disk_processed=0, disk_remaining=0,
    )  # fmt: skip


@pytest.mark.parametrize("said", [None, -1, 1 << 62, 1.5, "7", True, [7]])
def test_a_size_that_is_none_is_unknown_and_not_zero(said: Any) -> None:
    progress = of(saved(memory_remaining=said)).progress
    assert progress is not None
    assert progress.memory_remaining is None


def test_only_a_migration_that_is_saved_has_progress() -> None:
    assert of(request()).progress is None
    assert of(created()).progress is None


@pytest.mark.parametrize("inner", [created(), created(progress=40), saved(), saved(disk_remaining=GIB)])
def test_a_scrubbed_capture_keeps_what_is_told(inner: dict[str, Any]) -> None:
    raw, kept = of(inner), scrubbed(inner)
    assert (kept.notice, kept.progress, kept.failure) == (raw.notice, raw.progress, raw.failure)


def test_pseudonyms_replace_the_hosts_and_the_migration_and_leave_the_rest() -> None:
    names = Pseudonyms(b"k" * 16)
    told, moved = scrubbed(created(), names), scrubbed(saved(), names)
    assert told.notice == Notice(
        publisher=f"nova-compute:{names.host('compute-1')}", host=names.host("compute-1"), state="building",
        task_state="spawning",
    )  # fmt: skip
    assert moved.progress is not None
    assert moved.progress.migration not in ("", MIGRATION)
    assert moved.progress.memory_remaining == 5 * GIB


def test_a_user_may_say_what_other_notifications_tell(tmp_path: Any) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[[notification]]\nevent = "patch.*"\ninstance = ["server"]\nstate = ["how"]\nfails = ["*.bad"]\n')
    rules = load_rules(own)
    inner = {"event_type": "patch.disk.bad", "payload": {"server": INSTANCE, "how": "halfway"}}
    message = Decoder(rules).decode(seen(enveloped(inner)))
    assert isinstance(message, Message)
    assert (message.instances, message.notice) == ((INSTANCE,), Notice(state="halfway"))
    assert rules.notices.is_failure("patch.disk.bad")
    assert not rules.notices.is_failure("patch.disk.end")


@pytest.mark.parametrize("text", ['[[notification]]\nstate = ["x"]\n', '[[notification]]\nevent = "x"\nstate = "y"\n'])
def test_a_rule_of_another_shape_is_refused(tmp_path: Any, text: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text)
    with pytest.raises(UsageError, match="notification"):
        load_rules(own)
