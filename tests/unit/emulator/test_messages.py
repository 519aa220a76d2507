"""Messages made ready: sizes, places, what a reader finds in them."""

from __future__ import annotations

import json
import random
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcscope.amqp.publish import publish_method
from rpcscope.arguments import Subject
from rpcscope.decode.args import display_method, instance_host, instances
from rpcscope.emulator import envelope, slots
from rpcscope.emulator.content import Content
from rpcscope.emulator.envelope import MSG_AT, MSG_END, UNIQUE_AT, UNIQUE_END
from rpcscope.emulator.ids import Ids
from rpcscope.emulator.slots import Slots
from rpcscope.emulator.stranger import open_reply, open_request
from rpcscope.errors import UsageError

MARKS = Slots(32)
UUID = "8ceb43a3-40b1-4864-bea5-05f81c2ac883"
ID, OTHER = b"0123456789abcdef" * 2, b"fedcba9876543210" * 2
REQUEST = "req-5c5f2fb5-7f1a-4023-875e-71fe5f1c5e56"
ASKED = (slots.UNIQUE, slots.MSG, slots.REPLY_Q, slots.REQUEST, slots.SOURCE, slots.SENDER, slots.FIRST_INSTANCE)


def asked(method: str = "live_migration", size: int = 3000, **more: Any) -> bytes:
    about = Subject(
        method=method,
        detail="completed",
        instances=[MARKS.mark(slots.FIRST_INSTANCE)],
        source=MARKS.mark(slots.SOURCE),
        sender=MARKS.mark(slots.SENDER),
    )
    known = {"namespace": "", "version": "3.0", "is_call": True, "monitor_s": None}
    return envelope.request(about, MARKS, size, **known | more)


def sent(body: bytes, source: str | None = "compute-1", instance: str = UUID) -> bytes:
    """The body that goes out."""
    content = Content(body, MARKS, ASKED, 60.0)
    values = [
        ID,
        OTHER,
        b"reply_" + ID,
        REQUEST.encode(),
        MARKS.host(source),
        MARKS.host("compute-2"),
        instance.encode(),
    ]
    method = publish_method("nova", "conductor", False)
    frames = bytes(content.sent_with(method, values))
    assert frames.startswith(method)
    assert len(content) == len(body)
    return without_frames(frames[len(method) :], len(body))


def without_frames(frames: bytes, size: int) -> bytes:
    at = 8 + int.from_bytes(frames[3:7], "big")
    body = b""
    while len(body) < size:
        length = int.from_bytes(frames[at + 3 : at + 7], "big")
        body += frames[at + 7 : at + 7 + length]
        at += 8 + length
    assert at == len(frames)
    return body


def opened(body: bytes) -> dict[str, Any]:
    outer = json.loads(body)
    assert outer["oslo.version"] == "2.0"
    found: dict[str, Any] = json.loads(outer["oslo.message"])
    return found


@given(st.integers(1500, 400_000))
def test_a_request_has_the_size_that_was_asked_for_over_any_number_of_frames(size: int) -> None:
    body = sent(asked(size=size))
    assert len(body) == size
    assert opened(body)["_unique_id"] == ID.decode()


def test_a_request_says_all_that_was_put_into_its_places() -> None:
    message = opened(sent(asked()))
    assert message["_msg_id"] == OTHER.decode()
    assert message["_reply_q"] == "reply_" + ID.decode()
    assert message["_context_request_id"] == REQUEST
    assert instances(message["args"]) == (UUID,)
    assert instance_host(message["args"]) == "compute-1"
    assert "~" not in json.dumps(message)


@given(st.text(string.ascii_lowercase + string.digits + "-.", min_size=1, max_size=32))
def test_a_host_of_any_name_fits_without_changing_the_size(host: str) -> None:
    body = sent(asked(), source=host)
    assert len(body) == 3000
    assert opened(body)["args"]["instance"]["nova_object.data"]["host"] == host


def test_a_server_without_a_host_has_none() -> None:
    assert opened(sent(asked(), source=None))["args"]["instance"]["nova_object.data"]["host"] is None


@pytest.mark.parametrize(
    "method",
    ["live_migration", "object_action(Migration.save)", "object_class_action_versions(Service.get_by_compute_host)"],
)
def test_the_method_is_decoded_as_it_was_recorded(method: str) -> None:
    message = opened(sent(asked(method)))
    assert display_method(message["method"], message["args"]) == method


def test_a_cast_has_neither_a_reply_queue_nor_a_message_id() -> None:
    body = asked(is_call=False)
    assert not {"_msg_id", "_reply_q", "_timeout"} & opened(body).keys()


def test_a_message_about_too_many_servers_is_refused_in_a_sentence() -> None:
    """One of their places would lie across two frames."""
    marks = [slots.FIRST_INSTANCE + number for number in range(4000)]
    about = Subject(method="select_destinations", instances=[MARKS.mark(one) for one in marks])
    body = envelope.request(about, MARKS, 0, namespace="", version="", is_call=False, monitor_s=None)
    with pytest.raises(UsageError, match="fewer at once"):
        Content(body, MARKS, marks)


def replied(size: int, failure: str = "") -> bytes:
    content = Content(envelope.reply(MARKS, size, failure), MARKS, (slots.UNIQUE, slots.MSG))
    method = publish_method("", "reply_x", True)
    return without_frames(bytes(content.sent_with(method, [ID, OTHER]))[len(method) :], len(content))


@given(st.integers(207, 200_000))
def test_a_reply_has_the_size_that_was_asked_for(size: int) -> None:
    assert len(replied(size)) == size


@given(st.integers(600, 20_000))
def test_a_failure_has_the_size_that_was_asked_for_and_its_class(size: int) -> None:
    body = replied(size, "InstanceGroupNotFound")
    assert len(body) == size
    assert open_reply(body) == (OTHER, True, "InstanceGroupNotFound")


def test_an_empty_reply_is_as_large_as_oslo_messagings() -> None:
    ours = opened(replied(0))
    theirs = {"result": None, "failure": None, "ending": True, "_msg_id": OTHER.decode(), "_unique_id": ID.decode()}
    assert ours == theirs
    assert len(replied(0)) == len(json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(theirs)}))


def test_ids_are_where_the_fast_path_looks() -> None:
    body = replied(0)
    assert envelope.is_our_reply(body)
    assert envelope.is_ending(body)
    assert (body[UNIQUE_AT:UNIQUE_END], body[MSG_AT:MSG_END]) == (ID, OTHER)
    assert sent(asked())[UNIQUE_AT:UNIQUE_END] == ID
    assert not envelope.is_our_reply(sent(asked()))


def test_a_heartbeat_does_not_end_its_call() -> None:
    body = envelope.heartbeat(MARKS)
    assert envelope.is_our_reply(body)
    assert not envelope.is_ending(body)
    assert open_reply(body)[1] is False


@given(
    st.binary(max_size=300)
    | st.text(max_size=100).map(lambda text: json.dumps({"oslo.version": "2.0", "oslo.message": text}).encode())
)
def test_anything_may_come_from_a_stranger(body: bytes) -> None:
    open_request(body)
    open_reply(body)


@pytest.mark.parametrize("wrong", [{"_msg_id": "short"}, {"_reply_q": "q" * 300}, {"_msg_id": 7}, {"method": None}])
def test_a_strangers_request_that_can_not_be_answered_is_not_taken(wrong: dict[str, Any]) -> None:
    inner = {"method": "ping", "args": {}, "_msg_id": ID.decode(), "_reply_q": "reply_x"} | wrong
    body = json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(inner)}).encode()
    assert open_request(body) is None


def test_ids_are_32_hex_digits_each_once() -> None:
    ids = Ids(random.Random(1))
    taken = [ids.take() for _ in range(10_000)]
    assert len(set(taken)) == len(taken)
    assert all(len(one) == 32 and not set(one) - set(b"0123456789abcdef") for one in taken)
