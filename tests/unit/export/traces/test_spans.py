"""What an operation looks like as a trace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rpcscope.export.traces.ids import root_id, span_id, trace_id
from rpcscope.export.traces.resources import Resources
from rpcscope.export.traces.span import Link, Span, SpanKind
from rpcscope.export.traces.spans import Exported, spans
from rpcscope.model import Clock, Copy, Flag, MessageKind, Outcome
from rpcscope.query.calls import Calls
from rpcscope.query.processes import processes
from rpcscope.store import Store
from tests.contract.records import make_process
from tests.unit.query.one import BEGAN, MS, REQUEST_ID, call, cast, stored, uid


def made(store: Store, calls: list[Any], *ways: Any, **how: Any) -> dict[tuple[str, int], Span]:
    """Spans by kind and the number of their call; 0 is the operation's."""
    trace = stored(store, calls, *ways)
    reader = store.reader()
    views = Calls(reader).of_operation(trace.operation.ids)
    one = Exported(operation=trace.operation, calls=views, **how)
    ids = {span_id(side.name, uid(n)): (side.name, n) for side in SpanKind for n in range(1, 20)}
    ids[root_id(REQUEST_ID)] = ("INTERNAL", 0)
    return {ids[span.span_id]: span for span in spans(one, Resources(processes(reader)))}


def times(span: Span) -> tuple[float, float]:
    """In ms since the operation began."""
    return (span.start_ns - BEGAN) / MS, (span.end_ns - BEGAN) / MS


def said(span: Span) -> dict[str, Any]:
    return dict(span.attributes)


def test_a_call_is_the_caller_s_until_its_answer_came_and_the_worker_s_from_its_delivery_to_its_reply(
    empty_store: Store,
) -> None:
    found = made(empty_store, [call(1, 0, 2, 30, 31)])
    assert {key: times(span) for key, span in found.items()} == {
        ("INTERNAL", 0): times(found["INTERNAL", 0]), ("CLIENT", 1): (0, 31), ("SERVER", 1): (2, 30),
    }  # fmt: skip
    assert found["CLIENT", 1].parent_id == found["INTERNAL", 0].span_id == root_id(REQUEST_ID)
    assert found["SERVER", 1].parent_id == found["CLIENT", 1].span_id
    assert {span.trace_id for span in found.values()} == {trace_id(REQUEST_ID)}
    assert found["INTERNAL", 0].parent_id == b""


def test_what_a_handler_caused_is_below_it_and_a_cast_s_work_lasts_until_the_last_step_it_was_seen_to_make(
    empty_store: Store,
) -> None:
    found = made(
        empty_store,
        [cast(1, 0, 2), call(2, 10, 11, 20, 21, parent=1), cast(3, 40, 41, parent=1), call(4, 50, 51, 90, parent=3)],
    )
    assert times(found["PRODUCER", 1]) == (0, 0)
    assert times(found["CONSUMER", 1]) == (2, 40)  # it cast on
    assert times(found["CONSUMER", 3]) == (41, 90)
    assert found["CLIENT", 2].parent_id == found["CONSUMER", 1].span_id
    assert found["PRODUCER", 3].parent_id == found["CONSUMER", 1].span_id
    assert found["CLIENT", 4].parent_id == found["CONSUMER", 3].span_id
    assert said(found["CONSUMER", 1])["openstack.rpc.end_known_by"] == "last step seen"
    assert times(found["INTERNAL", 0])[1] >= 90


def test_a_side_that_was_not_seen_has_no_span_and_what_is_below_hangs_on_the_other(empty_store: Store) -> None:
    found = made(
        empty_store,
        [cast(1, 0, None, to_process=0), call(2, 10, 11, 20, parent=1), call(3, None, 30, 40, parent=2)],
    )
    assert ("CONSUMER", 1) not in found
    assert found["CLIENT", 2].parent_id == found["PRODUCER", 1].span_id
    assert ("CLIENT", 3) not in found
    assert found["SERVER", 3].parent_id == found["SERVER", 2].span_id


def test_a_worker_that_answered_is_told_although_its_delivery_was_not_to_be_seen(empty_store: Store) -> None:
    worker = make_process(7, key="10.0.0.7:nova-conductor:7", program="nova-conductor", pid=7, host="ctl-1")
    found = made(empty_store, [call(1, 5, None, 30, to_process=worker.id)], (worker,))
    server = found["SERVER", 1]
    assert times(server) == (5, 30)
    assert said(server)["openstack.rpc.start_known_by"] == "sent"
    assert (server.resource.service, server.resource.host, server.resource.pid) == ("nova-conductor", "ctl-1", 7)


def test_a_caller_that_gave_up_ends_then_and_the_late_worker_when_it_replied(empty_store: Store) -> None:
    late = call(1, 0, 2, 9_000, outcome=Outcome.TIMED_OUT, expiration_ms=5_000, flags=int(Flag.LATE_REPLY))
    found = made(empty_store, [late])
    assert times(found["CLIENT", 1]) == (0, 5_000)
    assert times(found["SERVER", 1]) == (2, 9_000)
    assert (found["CLIENT", 1].error, found["SERVER", 1].error) == ("MessagingTimeout", "")
    assert said(found["CLIENT", 1])["openstack.rpc.flags"] == ("late_reply",)


def test_a_failure_is_an_error_of_both_sides_and_an_expected_one_is_told_but_is_none(empty_store: Store) -> None:
    found = made(
        empty_store,
        [
            call(1, 0, 1, 2, outcome=Outcome.FAILED, failure="NoValidHost_Remote"),
            call(2, 3, 4, 5, outcome=Outcome.FAILED, failure="NotFound", flags=int(Flag.EXPECTED_FAILURE)),
        ],
    )
    assert {key: (span.error, said(span).get("error.type")) for key, span in found.items() if key[1]} == {
        ("CLIENT", 1): ("NoValidHost_Remote", "NoValidHost_Remote"),
        ("SERVER", 1): ("NoValidHost_Remote", "NoValidHost_Remote"),
        ("CLIENT", 2): ("", "NotFound"),
        ("SERVER", 2): ("", "NotFound"),
    }


def test_destinations_are_named_as_opentelemetry_has_it_and_a_host_s_own_queue_has_a_template(
    empty_store: Store,
) -> None:
    found = made(
        empty_store,
        [
            call(1, 0, 1, 2, exchange="nova", topic="compute", server="compute-7"),
            cast(2, 3, 4, exchange="nova", topic="conductor", namespace="compute_task", method="build_instances"),
            cast(3, 5, 6, kind=MessageKind.FANOUT, exchange="scheduler_fanout", topic="scheduler"),
            call(4, 7, 8, 9, exchange="", topic="odd"),
        ],
    )

    def told(kind: str, number: int) -> list[Any]:
        names = ("messaging.destination.name", "messaging.destination.template")
        return [said(found[kind, number]).get(name) for name in names]

    assert told("CLIENT", 1) == told("SERVER", 1) == ["nova:compute.compute-7", "nova:compute.{host}"]
    assert told("PRODUCER", 2) == ["nova:conductor", None]
    assert told("CONSUMER", 3) == ["scheduler_fanout", "{topic}_fanout"]
    assert told("CLIENT", 4) == ["odd", None]
    assert said(found["PRODUCER", 2])["rpc.method"] == "conductor.compute_task/build_instances"
    assert found["PRODUCER", 2].name == "cast conductor.compute_task/build_instances"


def test_each_delivery_of_a_fanout_that_was_seen_has_a_span_of_who_got_it(empty_store: Store) -> None:
    copies = (Copy(at_ns=BEGAN + 7 * MS, process=0), Copy(at_ns=BEGAN + 9 * MS, process=0))
    fanout = cast(1, 5, 6, kind=MessageKind.FANOUT, exchange="scheduler_fanout", topic="scheduler", more_copies=copies)
    trace = stored(empty_store, [fanout])
    reader = empty_store.reader()
    views = Calls(reader).of_operation(trace.operation.ids)
    found = spans(Exported(operation=trace.operation, calls=views), Resources(processes(reader)))
    root, sent, *taken = found
    assert [(span.kind, times(span)) for span in taken] == [
        (SpanKind.CONSUMER, (6, 6)), (SpanKind.CONSUMER, (7, 7)), (SpanKind.CONSUMER, (9, 9)),
    ]  # fmt: skip
    assert {span.parent_id for span in taken} == {sent.span_id}
    assert sent.parent_id == root.span_id
    assert len({span.span_id for span in found}) == 5


def test_calls_that_are_each_other_s_parents_in_a_hostile_recording_are_still_told_once(empty_store: Store) -> None:
    found = made(empty_store, [call(1, 0, 1, 2, parent=2), call(2, 3, 4, 5, parent=1), call(3, 6, 7, 8, parent=3)])
    assert len(found) == 7
    for span in found.values():
        seen = set()
        while span.parent_id:
            assert span.span_id not in seen
            seen.add(span.span_id)
            span = next(one for one in found.values() if one.span_id == span.parent_id)


def test_operations_of_one_global_request_id_are_linked_and_so_is_a_stale_request_id(empty_store: Store) -> None:
    found = made(empty_store, [call(1, 0, 1, 2)], relatives=["req-other"])
    assert [(link.trace_id, link.span_id) for link in found["INTERNAL", 0].links] == [
        (trace_id("req-other"), root_id("req-other"))
    ]


def test_a_trace_that_is_adopted_goes_on_below_the_span_it_was_begun_by(empty_store: Store) -> None:
    first, second = Link(b"t" * 16, b"s" * 8, "oslo.messaging"), Link(b"u" * 16, b"v" * 8, "oslo.messaging")
    calls = [
        call(n, 10 * n, 10 * n + 1, 10 * n + 2, trace_context=f"{one.trace_id.hex()}-{one.span_id.hex()}")
        for n, one in enumerate((first, second), 1)
    ]
    for adopts in (True, False):
        found = made(empty_store, calls, adopts=adopts)
        assert {span.trace_id for span in found.values()} == {first.trace_id if adopts else trace_id(REQUEST_ID)}
        assert found["INTERNAL", 0].parent_id == (first.span_id if adopts else b"")
        assert (found["CLIENT", 1].links, found["CLIENT", 2].links) == ((first,), (second,))


def test_a_trace_whose_span_is_not_known_is_adopted_without_a_parent_and_nothing_is_linked(empty_store: Store) -> None:
    found = made(empty_store, [call(1, 0, 1, 2, trace_context=f"{'ab' * 16}-")], adopts=True)
    assert {span.trace_id for span in found.values()} == {b"\xab" * 16}
    assert found["INTERNAL", 0].parent_id == b""
    assert found["CLIENT", 1].links == ()


def test_times_of_the_broker_s_clock_are_not_set_against_the_tap_s(empty_store: Store) -> None:
    found = made(empty_store, [replace(call(1, 5, 5, 30, 30), clock=Clock.BROKER)])
    assert (times(found["CLIENT", 1]), times(found["SERVER", 1])) == ((5, 30), (5, 30))
