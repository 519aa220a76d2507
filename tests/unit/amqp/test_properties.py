"""Properties are read lazily, and whatever other clients put into them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp.commands import Basic

from rpcscope.amqp import decode_properties
from rpcscope.errors import BrokerError


def test_what_was_put_in_is_read() -> None:
    put = Basic.Properties(content_type="application/json", delivery_mode=2, headers={"a": {"b": [1, "c"]}})
    assert decode_properties(put.marshal()) == put


@given(st.binary(max_size=80) | st.builds(lambda tail: b"\xff\xf8" + tail, st.binary(max_size=80)))
def test_bytes_that_are_no_properties_are_read_or_refused(raw: bytes) -> None:
    try:
        found = decode_properties(raw)
    except BrokerError:
        return
    assert isinstance(found, Basic.Properties)


def test_flags_without_end_are_refused() -> None:
    with pytest.raises(BrokerError, match="can not be read"):
        decode_properties(b"\x00\x01")
