"""What a process told of an RPC, as an object of a line."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from rpcscope.inside_row import inside, row
from rpcscope.model import Inside, MessageKind, Outcome, Side

TOLD = Inside(
    source="driver",
    side=Side.SERVER,
    kind=MessageKind.REQUEST,
    at_ns=1_795_163_788_000_000_000,
    program="nova-conductor",
    pid=4711,
    host="controller-1",
    unique_id="a" * 32,
    msg_id="b" * 32,
    request_id="req-00000000-0000-4000-8000-000000000001",
    method="object_action(Instance.save)",
    version="3.0",
    exchange="nova",
    topic="conductor",
    instances=("00000000-0000-4000-8000-00000000000a",),
    facts=frozenset({"event:compute_terminate_instance", "error"}),
    received_ns=1_795_163_787_000_000_000,
    started_ns=1_795_163_787_000_100_000,
    outcome=Outcome.FAILED,
    failure="InstanceNotFound",
    request_bytes=4096,
    pool_wait_ns=120,
    trace_id="c" * 32,
    parent_span_id="d" * 16,
)
HOSTILE = "x\0\u202e<script>"


def test_what_was_told_comes_back_from_its_line() -> None:
    assert inside(json.loads(json.dumps(row(TOLD)))) == TOLD


def test_what_is_at_its_default_is_not_in_the_line() -> None:
    assert row(TOLD).keys().isdisjoint({"namespace", "sent_ns", "retries", "span_id"})


def test_the_time_of_who_receives_it_counts_where_there_is_one() -> None:
    told = inside(row(TOLD), at_ns=1)
    assert told is not None
    assert told.at_ns == 1


def test_no_string_of_a_liar_passes_as_it_is() -> None:
    lies = {name: HOSTILE for name in row(TOLD) if name not in ("source", "side", "kind", "at_ns")}
    told = inside({**row(TOLD), **lies})
    assert told is not None
    assert HOSTILE not in repr(told)
    assert "script" not in repr(told)


def test_who_does_not_say_its_side_told_nothing() -> None:
    for key, value in (("side", "MIDDLE"), ("kind", "REPLY"), ("source", "rumour"), ("at_ns", "soon")):
        assert inside({**row(TOLD), key: value}) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(Inside.__dataclass_fields__)), _JSON))
def test_whatever_a_line_holds_only_what_is_of_its_shape_is_taken(lies: dict[str, object]) -> None:
    told = inside({**row(TOLD), "source": "driver", **{k: v for k, v in lies.items() if k != "at_ns"}})
    if told is not None:
        assert inside(json.loads(json.dumps(row(told)))) == told
