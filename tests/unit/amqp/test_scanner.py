"""The scanner reads what pamqp wrote, however the stream is cut, and nothing else."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import frame
from pamqp.body import ContentBody
from pamqp.commands import Basic, Channel, Connection, Queue
from pamqp.header import ContentHeader
from pamqp.heartbeat import Heartbeat

from rpcscope.amqp.garbage import Garbage
from rpcscope.amqp.scanner import Scanner
from tests.support.amqp import Notes, Told

FRAME_MAX = 256
_names = st.text(st.characters(codec="utf-8", max_codepoint=0x7FF), max_size=20)
_keys = st.from_regex(r"[a-z0-9._]{0,30}", fullmatch=True)
_tags = st.integers(1, (1 << 63) - 1)
_properties = st.builds(
    Basic.Properties, message_id=_names, priority=st.none() | st.integers(0, 9), headers=st.just({"a": 1}) | st.none()
)


def content(method: Any, properties: Basic.Properties, body: bytes, room: int) -> bytes:
    parts = [body[at : at + room] for at in range(0, len(body), room)]
    frames = [method, ContentHeader(0, len(body), properties), *map(ContentBody, parts)]
    return b"".join(frame.marshal(one, 1) for one in frames)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[bytes, Told]:
    consumer, tag, again, exchange, key = draw(st.tuples(_keys, _tags, st.booleans(), _keys, _keys))
    properties, body = draw(_properties), draw(st.binary(max_size=700))
    sent = content(Basic.Deliver(consumer, tag, again, exchange, key), properties, body, draw(st.integers(1, 248)))
    about = (consumer.encode(), tag, again, exchange.encode(), key.encode())
    return sent, [("delivered", about, properties.marshal(), body)]


@st.composite
def returns(draw: st.DrawFn) -> tuple[bytes, Told]:
    code, text, key, body = draw(st.tuples(st.integers(0, 65535), _names, _keys, st.binary(max_size=300)))
    return content(Basic.Return(code, text, "nova", key), Basic.Properties(), body, 200), [
        ("returned", (code, key.encode()), body)
    ]


@st.composite
def confirms(draw: st.DrawFn) -> tuple[bytes, Told]:
    tag, multiple, ack = draw(st.tuples(_tags, st.booleans(), st.booleans()))
    method = Basic.Ack(tag, multiple) if ack else Basic.Nack(tag, multiple, False)
    return frame.marshal(method, 1), [("confirmed", tag, multiple, ack)]


@st.composite
def rare(draw: st.DrawFn) -> tuple[bytes, Told]:
    channel, method = draw(
        st.sampled_from(
            [
                (0, Connection.Close(320, "CONNECTION_FORCED", 0, 0)),
                (0, Connection.Blocked("low on memory")),
                (1, Queue.DeclareOk("q", 1, 2)),
                (1, Channel.CloseOk()),
                (1, Basic.Cancel("1")),
            ]
        )
    )
    return frame.marshal(method, channel), [("method", channel, method.index, method.marshal())]


_heartbeats = st.just((frame.marshal(Heartbeat(), 0), list[tuple[Any, ...]]()))
streams = st.lists(deliveries() | returns() | confirms() | rare() | _heartbeats, max_size=8)


@given(streams, st.data())
def test_any_cut_of_a_stream_tells_the_same(stream: list[tuple[bytes, Told]], data: st.DataObject) -> None:
    sent = b"".join(one for one, _ in stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=12)))
    notes, scanner = Notes(), Scanner(FRAME_MAX)
    for start, stop in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        scanner.feed(sent[start:stop], notes)
    assert notes.told == [told for _, each in stream for told in each]


def test_a_stream_that_comes_byte_by_byte_tells_the_same() -> None:
    body = bytes(range(256)) * 2
    sent = content(Basic.Deliver("1", 7, True, "nova", "conductor"), Basic.Properties(), body, 100) * 2
    notes, scanner = Notes(), Scanner(FRAME_MAX)
    for at in range(len(sent)):
        scanner.feed(sent[at : at + 1], notes)
    assert notes.told == [("delivered", (b"1", 7, True, b"nova", b"conductor"), b"\0\0", body)] * 2


def test_a_broker_may_speak_of_the_connection_within_a_content() -> None:
    method, head, body = content(Basic.Deliver("1", 1, False, "", "q"), Basic.Properties(), b"ab", 9).partition(
        frame.marshal(ContentHeader(0, 2, Basic.Properties()), 1)
    )
    notes = Notes()
    beside = frame.marshal(Connection.Unblocked(), 0) + frame.marshal(Heartbeat(), 0)
    Scanner(FRAME_MAX).feed(method + beside + head + beside + body, notes)
    assert [one[0] for one in notes.told] == ["method", "method", "delivered"]


def feed(sent: bytes) -> None:
    Scanner(FRAME_MAX).feed(sent, Notes())


@given(streams, st.data())
def test_nothing_but_garbage_is_raised_for_a_stream_with_wrong_bytes(
    stream: list[tuple[bytes, Told]], data: st.DataObject
) -> None:
    sent = bytearray(b"".join(one for one, _ in stream) or b"\0")
    for at in data.draw(st.lists(st.integers(0, len(sent) - 1), min_size=1, max_size=3)):
        sent[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Garbage):
        feed(bytes(sent))


_DELIVER = frame.marshal(Basic.Deliver("1", 1, False, "", "q"), 1)
_HEADER = frame.marshal(ContentHeader(0, 3, Basic.Properties()), 1)
_BODY = frame.marshal(ContentBody(b"abc"), 1)


def _longer(sent: bytes) -> bytes:
    """The frame with one byte more."""
    return sent[:3] + (int.from_bytes(sent[3:7], "big") + 1).to_bytes(4, "big") + sent[7:-1] + b"\0" + sent[-1:]


def _elsewhere(sent: bytes) -> bytes:
    """The frame on another channel."""
    return sent[:1] + b"\0\2" + sent[3:]


@pytest.mark.parametrize(
    "sent",
    {
        "another protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n",
        "another version": b"AMQP\x01\x01\x00\x0a",
        "no frame end": _DELIVER[:-1] + b"\0",
        "a frame too long": b"\x03\0\1\0\0\x01\x00",
        "an unknown kind": b"\x04\0\1\0\0\0\0\xce",
        "a heartbeat with a payload": b"\x08\0\0\0\0\0\1\0\xce",
        "a method without its number": b"\x01\0\0\0\0\0\2\0\x0a\xce",
        "a header without a method": _HEADER,
        "a body without a header": _DELIVER + _BODY,
        "a second method": _DELIVER + _DELIVER,
        "another method inside": _DELIVER + frame.marshal(Queue.DeclareOk("q", 1, 2), 1),
        "a second header": _DELIVER + _HEADER + _HEADER,
        "a body too long": _DELIVER + _HEADER + _longer(_BODY),
        "a huge body": _DELIVER + frame.marshal(ContentHeader(0, 1 << 40, Basic.Properties()), 1),
        "another class": _DELIVER + _HEADER.replace(b"\0\x3c", b"\0\x3d"),
        "a delivery too long": _longer(_DELIVER),
        "a delivery too short": b"\x01\0\1\0\0\0\4\0\x3c\0\x3c\xce",
        "a return too short": b"\x01\0\1\0\0\0\4\0\x3c\0\x32\xce",
        "a return too long": _longer(frame.marshal(Basic.Return(312, "NO_ROUTE", "", "q"), 1)),
        "a confirm too long": _longer(frame.marshal(Basic.Ack(1, False), 1)),
        "another channel": _elsewhere(_DELIVER),
        "a header on another channel": _DELIVER + _elsewhere(_HEADER),
        "a body on another channel": _DELIVER + _HEADER + _elsewhere(_BODY),
    }.items(),
    ids=lambda case: case[0],
)
def test_what_is_not_amqp_is_garbage(sent: tuple[str, bytes]) -> None:
    with pytest.raises(Garbage, match="is not AMQP 0-9-1"):
        feed(sent[1])
