"""What a kind costs and its usual call tree, beside what was counted by hand in the recorded captures."""

from __future__ import annotations

import pytest

from rpcscope.query.kind import KindShape, kind_shape
from rpcscope.query.kind_sample import UNSTATED, KindSample, kind_sample
from rpcscope.query.lifelines import short
from rpcscope.store import Store
from tests.support.dashboard import CAPTURES
from tests.support.kinds import keep_usual, usual_calls
from tests.support.requests_only import requests
from tests.support.stored import keep
from tests.unit.query.one import BEGAN, MS, stored

BELOW_BUILD = [
    "InstanceActionEvent.event_start", "Instance.save", "Instance.save", "BlockDeviceMappingList.get_by_instance_uuid",
    "Service.get_by_compute_host", "ComputeNode.save", "Instance.save", "BlockDeviceMapping.save", "Instance.save",
    "Instance.save", "Instance.save", "update_instance_info", "InstanceActionEvent.event_finish_with_failure",
]  # fmt: skip


@pytest.fixture(scope="module")
def boots(captures: Store) -> KindShape:
    reader = captures.reader()
    return kind_shape(reader, "create", kind_sample(reader, "create"))


def test_a_boot_is_the_same_sixteen_steps_in_every_boot(boots: KindShape) -> None:
    steps = [(one.depth, short(one.step.method)) for one in boots.tree.calls]
    assert steps == [
        (0, "schedule_and_build_instances"),
        (1, "select_destinations"),
        (1, "build_and_run_instance"),
        *((2, name) for name in BELOW_BUILD),
    ]
    assert {one.operations for one in boots.tree.calls} == {boots.tree.operations} == {20}
    assert {one.share for one in boots.tree.calls} == {1.0}


def test_fifteen_of_them_carry_its_request_id(boots: KindShape) -> None:
    (foreign,) = [one for one in boots.tree.calls if one.foreign]
    assert short(foreign.step.method) == "ComputeNode.save"
    assert boots.cost.rpcs.p50 == boots.cost.rpcs.max == 15
    assert boots.cost.messages.p50 == 27
    assert boots.cost.messages_by_cause.p50 == 29


def test_the_kinds_and_places_of_steps_are_told(boots: KindShape) -> None:
    kinds = {short(one.step.method): one.kind for one in boots.tree.calls}
    assert kinds["schedule_and_build_instances"] == kinds["build_and_run_instance"] == "cast"
    assert kinds["update_instance_info"] == "fanout"
    assert kinds["Instance.save"] == "call"
    assert [one.step.place for one in boots.tree.calls if "Instance.save" in one.step.method] == [1, 2, 3, 4, 5, 6]


def test_a_call_has_times_and_sizes_and_a_cast_no_reply(boots: KindShape) -> None:
    by_name = {short(one.step.method): one for one in boots.tree.calls}
    save, cast = by_name["Instance.save"], by_name["build_and_run_instance"]
    assert save.whole.p50 is not None
    assert save.execution.p50 is not None
    assert 0 < save.execution.p50 <= save.whole.p50 < 1_000
    assert (cast.whole.p50, cast.execution.p50, cast.reply_bytes.p50) == (None, None, None)
    assert cast.wait.p50 is not None
    assert (cast.request_bytes.p50 or 0) > 10_000


def test_the_boot_that_found_no_host_is_odd_and_no_model(boots: KindShape) -> None:
    (failed,) = [one for one in boots.odd if one.operation.status.name == "FAILED"]
    assert boots.odd[0] is failed
    assert [(reason.sort, reason.method) for reason in failed.reasons] == [
        ("failed", "select_destinations"),
        ("missing", "build_and_run_instance"),
    ]
    assert failed.reasons[0].error == "NoValidHost"


def test_methods_add_up_to_what_the_operations_caused(boots: KindShape) -> None:
    model = {view.whole.request_id: view for view in boots.sample.model}
    assert sum(row.messages or 0 for row in boots.methods) == sum(v.whole.by_cause.messages for v in model.values())
    (save,) = [row for row in boots.methods if row.method == "object_action(Instance.save)"]
    assert (save.per_operation, save.rpcs, save.messages) == (6.0, {"call": 120}, 240)
    assert sum(row.share or 0 for row in boots.methods) == pytest.approx(1)


def test_a_live_migration_is_aligned_though_its_steps_go_side_by_side(captures: Store) -> None:
    reader = captures.reader()
    tree = kind_shape(reader, "live-migration", kind_sample(reader, "live-migration")).tree
    assert tree.operations == 7  # six of the drain, one whose host the scheduler chose
    common = [one for one in tree.calls if one.share == 1]
    assert len(common) == 44


def test_conditions_tell_operations_apart(empty_store: Store) -> None:
    keep_usual(empty_store, 2)
    reader = empty_store.reader()
    sample = kind_sample(reader, "create")
    recordings = sorted(sample.conditions)
    told = KindSample(sample.views, sample.is_all, {recordings[0]: "nova 34.0", recordings[1]: ""})
    rows = kind_shape(reader, "create", told).conditions
    assert [(row.conditions, row.cost.operations) for row in rows] == [(UNSTATED, 1), ("nova 34.0", 1)]
    assert len(told.under("nova 34.0").views) == 1


def test_the_newest_are_looked_at_and_it_is_said_when_there_are_more(empty_store: Store) -> None:
    for number in range(7):
        stored(empty_store, usual_calls(), request_id=f"req-{number}", started_ns=BEGAN + number)
    found = kind_sample(empty_store.reader(), "create", most=3)
    assert [view.whole.request_id for view in found.views] == ["req-6", "req-5", "req-4"]
    assert not found.is_all
    assert kind_sample(empty_store.reader(), "create").is_all


def test_trees_are_made_of_as_many_operations_as_may_be_read(empty_store: Store) -> None:
    keep_usual(empty_store, 4)
    reader = empty_store.reader()
    sample = kind_sample(reader, "create")
    each = sample.views[0].whole.by_cause.rpcs
    found = kind_shape(reader, "create", sample, most_calls=2 * each)
    assert (len(found.traced), found.cost.operations) == (2, 4)


def test_only_operations_of_the_time_are_looked_at(empty_store: Store) -> None:
    keep_usual(empty_store, 2)
    reader = empty_store.reader()
    assert kind_sample(reader, "create", BEGAN + MS, BEGAN + 2 * MS).views == ()
    assert kind_shape(reader, "create", kind_sample(reader, "nothing")).tree.calls == ()


def test_what_a_tap_on_the_exchanges_can_not_see_is_unknown_and_not_zero(empty_store: Store) -> None:
    keep(empty_store, requests(CAPTURES / "02_boot_10_serial.jsonl.zst"), mode="bindings")
    reader = empty_store.reader()
    found = kind_shape(reader, "create", kind_sample(reader, "create"))
    assert (found.cost.rpcs.p50, found.cost.messages.p50, found.cost.bytes.p50) == (15, None, None)
    calls = [one for one in found.tree.calls if one.kind == "call"]
    assert len(calls) == 13
    assert {(one.failed, one.whole.p50, one.reply_bytes.p50) for one in calls} == {(None, None, None)}
    saves = next(row for row in found.methods if "Instance.save" in row.method)
    assert (saves.per_operation, saves.messages, saves.bytes, saves.failed, saves.share) == (
        6.0,
        None,
        None,
        None,
        None,
    )
    assert found.odd == ()
