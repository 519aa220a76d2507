"""What hit one host in a time."""

from __future__ import annotations

from rpcscope.model import Batch, MessageKind
from rpcscope.query.calls import Calls
from rpcscope.query.host import host_view
from rpcscope.query.operations import Operations
from rpcscope.query.times import SECOND
from rpcscope.store import OperationFilter, Store
from tests.contract.records import START, begun, make_call, make_operation

FOREVER = 2**62


def test_a_compute_is_hit_by_what_the_captures_sent_to_it(captures: Store) -> None:
    reader = captures.reader()
    found = host_view(reader, "compute-1", 0, FOREVER, limit=500)
    boots = {one.method: one.calls for one in found.received}
    views = [view for view in Operations(reader).find(OperationFilter(kind="create")) if view.whole.instances]
    built = [
        call
        for view in views
        for call in Calls(reader).of_operation(view.ids)
        if call.call.method == "build_and_run_instance" and call.worker.host == "compute-1"
    ]
    assert boots["build_and_run_instance"] == len(built) > 0
    assert found.operations == len(found.touched)
    assert found.sent_is_known
    assert {one.method for one in found.sent} >= {"object_action(Instance.save)"}


def test_five_minutes_have_the_operations_of_these_minutes_also_those_that_began_before(empty_store: Store) -> None:
    writer, base = begun(empty_store)
    early = make_operation(base + 1, request_id="req-early", started_ns=START)
    other = make_operation(base + 2, request_id="req-other", started_ns=START + 130 * SECOND)
    calls = (
        make_call(base + 3, operation_id=early.id, server="host-9", published_ns=START + 120 * SECOND),
        make_call(base + 4, operation_id=early.id, server="host-9", published_ns=START + 900 * SECOND),
        make_call(base + 5, operation_id=other.id, server="host-8", published_ns=START + 130 * SECOND),
    )
    writer.write(Batch(recording_id=base >> 40, operations=(early, other), calls=calls, last_ns=START + 900 * SECOND))
    found = host_view(empty_store.reader(), "host-9", START + 100 * SECOND, START + 400 * SECOND)
    (touched,) = found.touched
    assert touched.operation.whole.request_id == "req-early"
    assert (touched.touch.received, touched.touch.last_ns) == (1, START + 120 * SECOND)
    assert (found.sent_is_known, found.as_dict()["sent"]) == (False, None)
    assert host_view(empty_store.reader(), "host-9", START, START + 100 * SECOND).touched == ()


def test_parts_of_one_operation_are_one_that_touched_the_host(empty_store: Store) -> None:
    for scope in ("cell 1", "cell 2"):
        writer, base = begun(empty_store, scope=scope)
        operation = make_operation(base + 1, request_id="req-1", started_ns=START)
        call = make_call(
            base + 2, operation_id=operation.id, server="host-9", published_ns=START, kind=MessageKind.CAST
        )
        writer.write(Batch(recording_id=base >> 40, operations=(operation,), calls=(call,), last_ns=START))
    found = host_view(empty_store.reader(), "host-9", START, START + SECOND)
    assert (found.operations, [one.touch.received for one in found.touched]) == (1, [2])
    assert [(one.method, one.calls) for one in found.received] == [("build_and_run_instance", 2)]


def test_a_host_that_nobody_knows_was_hit_by_nothing(empty_store: Store) -> None:
    found = host_view(empty_store.reader(), "no such host", 0, FOREVER)
    assert not found.is_known
    assert (found.received, found.touched, found.operations) == ((), (), 0)
