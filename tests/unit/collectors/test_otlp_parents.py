"""Which call is below which: what spans name, in any order, and what is inferred where they name nothing."""

from __future__ import annotations

from typing import Any

from rpcscope.model import ParentSource
from rpcscope_collectors.otlp import SpanIntake
from rpcscope_collectors.span_bodies import of_row
from tests.support.memory import Memory, record
from tests.support.spans import MS, START_NS, consumer, producer

NONE, NAMED, INFERRED = ParentSource.NONE, ParentSource.TRACEPARENT, ParentSource.INFERRED
SECOND = 1000 * MS
Row = dict[str, Any]


class Stage:
    """Calls between processes, as both sides' spans tell them."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def call(
        self, method: str, sender: str, worker: str, from_ms: int, to_ms: int, *, below: str = "", rid: int = 1
    ) -> str:
        """The span in which it is handled, for those that are `below` it."""
        number = len(self.rows) + 1
        client, server = f"{number:016x}", f"{number + 1:016x}"
        said = {"rpc.method": method, "openstack.request_id": f"req-752bae94-6e39-4377-aed9-1d0e32f7063{rid}"}
        start, end = START_NS + from_ms * MS, START_NS + to_ms * MS
        asked = producer(span_id=client, parent_span_id=below, start=start, end=end, attributes=said)
        trace = f"{number:032x}"
        done = consumer(
            span_id=server, parent_span_id=client, start=start + MS // 4, end=end - MS // 4,
            attributes={**said, "messaging.message.id": f"{number:032x}"},
        )  # fmt: skip
        for row, who in ((asked, sender), (done, worker)):
            row["resource"] = {"service.name": who, "service.instance.id": f"life-of-{who}"}
            self.rows.append({**row, "trace_id": trace})
        return server

    def memory(self, **options: Any) -> Memory:
        intake = SpanIntake(hold_ns=None)
        intake.take(map(of_row, self.rows), None)
        return record([*intake.rest()], mode="inside", **options)


def parents(memory: Memory) -> dict[str, tuple[str, ParentSource]]:
    """By method: the parent's method, and how it is known."""
    methods = {call.unique_id: call.method for call in memory.calls()}
    return {call.method: (methods.get(call.parent_unique_id, ""), call.parent_source) for call in memory.calls()}


def test_a_span_names_its_parent_whatever_else_the_process_has_in_hand() -> None:
    stage = Stage()
    one = stage.call("one", "api", "worker", 0, 100)
    stage.call("two", "api", "worker", 10, 90)
    stage.call("leaf", "worker", "db", 50, 60, below=one)
    assert parents(stage.memory())["leaf"] == ("one", NAMED)


def test_a_parent_that_is_told_after_its_children_is_still_theirs() -> None:
    stage = Stage()
    one = stage.call("one", "api", "worker", 0, 100)
    stage.call("two", "api", "worker", 10, 90)
    stage.call("leaf", "worker", "db", 50, 60, below=one)
    intake = SpanIntake(hold_ns=None)
    told = []
    for row in reversed(stage.rows):
        intake.take([of_row(row)], START_NS + SECOND)
        told += intake.rest()
    assert parents(record(told, mode="inside"))["leaf"] == ("one", NAMED)


def test_what_spans_name_is_left_out_where_trace_contexts_are_to_be_ignored() -> None:
    stage = Stage()
    one = stage.call("one", "api", "worker", 0, 100)
    stage.call("leaf", "worker", "db", 50, 60, below=one)
    assert parents(stage.memory(use_traceparent=False))["leaf"] == ("one", INFERRED)


def test_what_was_inferred_and_is_named_as_well_is_told_as_named() -> None:
    stage = Stage()
    one = stage.call("hand_over", "api", "worker", 0, 10)
    stage.call("soon", "worker", "db", 500, 510, below=one)
    assert parents(stage.memory())["soon"] == ("hand_over", NAMED)


def test_spans_that_name_each_other_make_no_circle() -> None:
    stage = Stage()
    stage.call("one", "api", "worker", 0, 100, below=f"{4:016x}")
    stage.call("two", "worker", "api", 10, 90, below=f"{2:016x}")
    found = parents(stage.memory())
    assert sorted(found) == ["one", "two"]
    assert [source for _, source in found.values()].count(NONE) == 1


def test_a_process_that_calls_itself_is_not_below_what_it_called() -> None:
    stage = Stage()
    stage.call("outer", "api", "worker", 0, 100)
    stage.call("inner", "worker", "worker", 20, 80)
    stage.call("leaf", "worker", "db", 30, 40)
    found = parents(stage.memory())
    assert (found["outer"], found["inner"]) == (("", NONE), ("outer", INFERRED))


def test_a_handler_that_gave_its_work_to_a_thread_and_ended_is_its_parent() -> None:
    stage = Stage()
    stage.call("hand_over", "api", "worker", 0, 10)
    stage.call("soon", "worker", "db", 500, 510)
    stage.call("much_later", "worker", "db", 5000, 5010)
    found = parents(stage.memory())
    assert found["soon"] == ("hand_over", INFERRED)
    assert found["much_later"] == ("", NONE)


def boot(stage: Stage, at_ms: int, rid: int, follower: int | None) -> None:
    """A build that asks for its service and saves its node under an id of the process's own."""
    stage.call("build_and_run_instance", "conductor", "compute", at_ms, at_ms + 400, rid=rid)
    stage.call("object_class_action_versions", "compute", "conductor", at_ms + 100, at_ms + 110, rid=rid)
    if follower is not None:
        stage.call("object_action", "compute", "conductor", at_ms + 112, at_ms + 120, rid=follower)


def followed(memory: Memory, rid: int) -> list[ParentSource]:
    calls = [call for call in memory.calls() if call.method == "object_action"]
    operation = memory.operation(f"req-752bae94-6e39-4377-aed9-1d0e32f7063{rid}").id
    return [call.parent_source for call in calls if call.operation_id == operation]


def test_a_node_is_saved_by_who_asked_for_its_service_just_before() -> None:
    stage = Stage()
    for number in range(3):
        boot(stage, 1000 * number, 1 + number, follower=9)
    assert followed(stage.memory(), 9) == [INFERRED] * 3


def test_a_service_that_reports_now_and_then_follows_nobody_by_chance() -> None:
    stage = Stage()
    for number in range(3):
        stage.call("object_action", "compute", "conductor", 10_000 * number, 10_000 * number + 5, rid=8)
    boot(stage, 29_900, 1, follower=None)
    stage.call("object_action", "compute", "conductor", 30_011, 30_020, rid=8)
    assert followed(stage.memory(), 8) == [NONE] * 4
