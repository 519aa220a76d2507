"""Messages made ready: their frames are right whatever is replaced in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import body as bodies
from pamqp import frame, header
from pamqp.commands import Basic

from rpcscope.amqp import Publish
from rpcscope.errors import BrokerError

SMALL = 64


def read(frames: bytes | bytearray) -> tuple[Basic.Publish, header.ContentHeader, list[bytes]]:
    """What pamqp makes of them."""
    found, rest = [], bytes(frames)
    while rest:
        used, channel, one = frame.unmarshal(rest)
        assert channel == 1
        found.append(one)
        rest = rest[used:]
    method, head, *parts = found
    assert isinstance(method, Basic.Publish)
    assert isinstance(head, header.ContentHeader)
    return method, head, [part.value for part in parts if isinstance(part, bodies.ContentBody)]


@st.composite
def patched(draw: st.DrawFn) -> tuple[bytes, dict[int, bytes]]:
    """A body, and pieces of it to replace."""
    body = draw(st.binary(max_size=4 * SMALL))
    offsets = draw(st.lists(st.integers(0, len(body)), max_size=4, unique=True))
    return body, {at: draw(st.binary(max_size=min(len(body) - at, 2 * SMALL))) for at in offsets}


@given(patched())
def test_a_patch_replaces_bytes_of_the_body_over_any_frame_split(case: tuple[bytes, dict[int, bytes]]) -> None:
    body, patches = case
    expected = bytearray(body)
    for at, value in patches.items():
        expected[at : at + len(value)] = value
    message = Publish("nova", "conductor", Basic.Properties(priority=3), body, frame_max=SMALL)
    method, head, parts = read(message.patched(patches))
    assert (method.exchange, method.routing_key, head.properties.priority) == ("nova", "conductor", 3)
    assert b"".join(parts) == bytes(expected)
    assert (head.body_size, len(message)) == (len(body), len(body))
    assert all(0 < len(part) <= SMALL - 8 for part in parts)
    assert b"".join(read(message.frames())[2]) == body, "the message itself has changed"


def test_a_patch_beyond_the_body_is_refused() -> None:
    message = Publish("", "q", None, b"0123456789")
    with pytest.raises(ValueError, match="beyond"):
        message.patched({8: b"abc"})
    with pytest.raises(ValueError, match="beyond"):
        message.patched({-1: b"a"})


def test_the_same_content_goes_to_another_queue() -> None:
    message = Publish("nova", "conductor", Basic.Properties(expiration="60000"), b"0123456789" * 9, True, SMALL)
    other = message.to("", b"reply_1")
    method, head, parts = read(other.patched({3: b"xyz"}))
    assert (method.exchange, method.routing_key, method.mandatory) == ("", "reply_1", True)
    assert head.properties.expiration == "60000"
    assert b"".join(parts) == (b"0123456789" * 9).replace(b"3456", b"xyz6", 1)
    assert read(message.frames())[0].routing_key == "conductor"


def test_raw_properties_are_taken_as_they_are() -> None:
    raw = Basic.Properties(content_type="application/json", headers={"x": 1}).marshal()
    assert read(Publish("", "q", raw, b"").frames())[1].properties.headers == {"x": 1}


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Publish("", "q" * 256, None, b""), id="a name too long"),
        pytest.param(lambda: Publish("", "q", Basic.Properties(priority=300), b""), id="a value without a form"),
        pytest.param(lambda: Publish("", "q", b"\0" * 100, b"", frame_max=SMALL), id="properties longer than a frame"),
    ],
)
def test_what_amqp_has_no_form_for_is_refused_in_a_sentence(make: object) -> None:
    assert callable(make)
    with pytest.raises(BrokerError, match=r"\.$"):
        make()
