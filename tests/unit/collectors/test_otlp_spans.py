"""Spans become what the two sides of an RPC told."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcscope.model import Inside, MessageKind, Outcome, Side
from rpcscope_collectors.otlp import SpanIntake
from rpcscope_collectors.span import Span
from rpcscope_collectors.span_bodies import BodyError, of_json, of_protobuf, of_row
from tests.support.spans import (
    CLIENT,
    MS,
    MSG_ID,
    REQUEST_ID,
    SERVER,
    START_NS,
    TRACE,
    consumer,
    producer,
    raised,
    request,
    request_json,
)

MADE_UP = "0176d0a4-f018-4d9b-89d2-f5d973565cfd"  # what oslo.messaging calls a cast


def intake(**options: Any) -> SpanIntake:
    return SpanIntake(**{"hold_ns": None, **options})


def told(*rows: dict[str, Any]) -> list[Inside]:
    """What an intake makes of rows."""
    made = intake()
    made.take(map(of_row, rows), None)
    return [*made.rest()]


@pytest.mark.parametrize("row", [producer(**raised("x.Y_Remote")), consumer(attributes={"n": 7})])
def test_a_span_is_the_same_in_all_three_shapes(row: dict[str, Any]) -> None:
    by_row = of_row(row)
    assert of_protobuf(request(row).SerializeToString()) == [by_row]
    assert of_json(json.dumps(request_json(row)).encode()) == [by_row]


def test_a_call_is_told_from_both_sides_in_the_order_of_time() -> None:
    sent, started, replied, taken = told(consumer(), producer())
    assert [one.side for one in (sent, started, replied, taken)] == [Side.CLIENT, Side.SERVER, Side.SERVER, Side.CLIENT]
    assert (sent.sent_ns, started.started_ns) == (START_NS, START_NS + 2 * MS)
    assert (replied.replied_ns, taken.taken_ns) == (START_NS + 8 * MS, START_NS + 9 * MS)
    assert {one.kind for one in (sent, started, replied, taken)} == {MessageKind.REQUEST}
    assert {one.request_id for one in (sent, started, replied, taken)} == {REQUEST_ID}
    assert (sent.program, sent.topic, sent.method) == ("nova-compute", "conductor", "object_action")
    assert (started.program, started.msg_id, sent.msg_id) == ("nova-conductor", MSG_ID, "")
    assert (sent.outcome, taken.outcome) == (Outcome.NONE, Outcome.OK)


def test_both_sides_name_the_span_that_travels_in_the_message() -> None:
    sent, started, *_ = told(producer(), consumer())
    assert (sent.trace_id, sent.span_id, sent.parent_span_id) == (TRACE, CLIENT, "")
    assert (started.trace_id, started.span_id, started.parent_span_id) == (TRACE, SERVER, CLIENT)


def test_a_cast_ends_with_its_publish_and_with_its_dispatch() -> None:
    cast = producer(attributes={"messaging.operation": "cast"})
    taken = consumer(attributes={"messaging.message.id": MADE_UP})
    sent, started, ended, confirmed = told(cast, taken)
    assert {one.kind for one in (sent, started, ended, confirmed)} == {MessageKind.CAST}
    assert (confirmed.confirmed_ns, confirmed.taken_ns) == (START_NS + 9 * MS, None)
    assert (ended.ended_ns, ended.replied_ns, ended.msg_id) == (START_NS + 8 * MS, None, "")
    assert confirmed.outcome is Outcome.NONE


@pytest.mark.parametrize(
    ("exception", "outcome", "failure"),
    [
        ("nova.exception_Remote.InstanceGroupNotFound_Remote", Outcome.FAILED, "InstanceGroupNotFound"),
        ("oslo_messaging.rpc.client.RemoteError", Outcome.FAILED, "RemoteError"),
        ("ValueError", Outcome.FAILED, "ValueError"),
        ("oslo_messaging.exceptions.MessagingTimeout", Outcome.TIMED_OUT, ""),
        ("oslo_messaging.exceptions.MessageDeliveryFailure", Outcome.NONE, "MessageDeliveryFailure"),
    ],
)
def test_a_failure_is_told_by_its_class_and_by_nothing_else_of_it(
    exception: str, outcome: Outcome, failure: str
) -> None:
    _, taken = told(producer(**raised(exception)))
    assert (taken.outcome, taken.failure) == (outcome, failure)
    assert "PS7q" not in repr(taken)


def test_names_of_senders_are_made_safe() -> None:
    row = producer(attributes={"rpc.method": "<b>\u202ePS7q", "openstack.request_id": "PS7q\0"})
    row["resource"] = {"service.name": "PS7q <script>", "process.pid": -5, "host.name": "x" * 5000}
    sent, _ = told(row)
    assert "PS7q" not in repr(sent)
    assert "<" not in sent.method + sent.program
    assert (sent.pid, len(sent.host)) == (0, 9)


def test_other_spans_are_counted_and_what_lies_between_two_rpcs_is_seen_through() -> None:
    step = producer(
        span_id="aaaaaaaaaaaaaaaa", parent_span_id=SERVER, kind="INTERNAL", attributes={"db.system": "mysql"}
    )
    inner = producer(span_id="bbbbbbbbbbbbbbbb", parent_span_id="aaaaaaaaaaaaaaaa")
    root = producer(span_id="cccccccccccccccc", kind="INTERNAL")
    other = producer(span_id="dddddddddddddddd", attributes={"rpc.system": "grpc"})
    broken = producer(trace_id="0" * 32)
    made = intake()
    assert made.take(map(of_row, (inner, step, root, other, broken)), None) == 1
    assert {one.parent_span_id for one in made.rest()} == {SERVER}
    count = made.count
    assert (count.seen, count.kept, count.steps, count.rejected) == (5, 2, 1, 3)


def test_what_ends_late_is_given_out_where_it_began() -> None:
    made = intake(hold_ns=100 * MS)
    late = producer(span_id="aaaaaaaaaaaaaaaa", start=START_NS - 5 * MS, end=START_NS + 50 * MS)
    made.take([of_row(producer())], START_NS + 10 * MS)
    assert [*made.due(START_NS + 60 * MS)] == []
    made.take([of_row(late)], START_NS + 60 * MS)
    first = [*made.due(START_NS + 101 * MS)]
    assert [one.sent_ns for one in first] == [START_NS - 5 * MS, START_NS]
    assert len(made) == 2


def test_a_host_whose_clock_is_ahead_does_not_wait_for_ever() -> None:
    hour = 3_600_000 * MS
    made = intake(hold_ns=100 * MS)
    made.take([of_row(producer(start=START_NS + hour, end=START_NS + hour + MS))], START_NS)
    assert len([*made.due(START_NS + 100 * MS)]) == 2


def test_no_more_is_held_than_there_is_room_for() -> None:
    made = intake(most=10)
    rows = [producer(span_id=f"{n:016x}", start=START_NS + n, end=START_NS + MS + n) for n in range(1, 21)]
    made.take(map(of_row, rows), None)
    assert len([*made.due(0)]) == 30
    assert len(made) == 10


@given(st.binary(max_size=200))
def test_any_bytes_are_spans_or_no_body(body: bytes) -> None:
    for read in (of_protobuf, of_json):
        with contextlib.suppress(BodyError):
            assert all(type(span) is Span for span in read(body))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resourceSpans", "scopeSpans", "spans", "attributes", "key", "value", "traceId", "kind"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(_json)
def test_any_json_is_spans_or_no_body(value: object) -> None:
    try:
        spans = of_json(json.dumps({"resourceSpans": [value]}).encode())
    except BodyError:
        return
    made = intake()
    made.take(spans, None)
    assert made.count.seen == len(spans)
