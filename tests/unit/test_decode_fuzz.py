"""Whatever is on the wire, decode gives a message, a marker or DecodeError, in bounded depth."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from rpcscope.decode import Decoder
from rpcscope.errors import DecodeError
from rpcscope.model import Marker, Message, Observation
from rpcscope.rules import load_rules
from tests.support.wire import bare, enveloped, events, seen

REASONS = {
    "no headers",
    "not JSON",
    "envelope version",
    "envelope without text",
    "nested too deep",
    "not an oslo.messaging message",
    "neither publish nor deliver",
    "not from the firehose",
}


def try_to_decode(observation: Observation) -> Message | Marker | None:
    reason = ""
    try:
        return Decoder(load_rules()).decode(observation)
    except DecodeError as error:
        reason = error.reason
    assert reason in REASONS
    return None


@settings(max_examples=300, deadline=None)
@given(events())
def test_anything_in_any_field_gives_a_message_or_a_decode_error(observation: Observation) -> None:
    found = try_to_decode(observation)
    if isinstance(found, Message):
        assert len(found.unique_id) == 32
        assert repr(found).isprintable()
        assert repr(found).isascii()


NESTS = [
    "[%s]",
    '{"flavor": %s}',
    '{"nova_object.data": {"objects": [%s]}}',
    '{"nova_object.name": "Instance", "x": %s}',
]
PLACES = [
    '{"method": %s}',
    '{"method": "object_action", "args": {"objinst": %s, "objmethod": "save"}}',
    '{"method": "m", "args": {"instance": %s}}',
    '{"event_type": "e", "payload": %s}',
    '{"_msg_id": "a", "failure": %s}',
    '{"method": "m", "rpcscope": %s}',
]


@pytest.mark.parametrize("depth", [300, 990, 100_000])
@pytest.mark.parametrize("nest", NESTS)
@pytest.mark.parametrize("place", PLACES)
def test_nesting_of_any_depth_is_decoded_or_refused(depth: int, nest: str, place: str) -> None:
    before, after = nest.split("%s")
    inner = place.replace("%s", before * depth + "1" + after * depth)
    plain = try_to_decode(seen(inner.encode()))
    packed = try_to_decode(seen(json.dumps({"oslo.version": "2.0", "oslo.message": inner}).encode()))
    assert depth < 1000 or (plain is None and packed is None)


def test_two_equal_trees_that_a_rule_compares_may_be_deep() -> None:
    tree = '{"a":' * 900 + "1" + "}" * 900
    args = f'{{"flavor": {{"flavorid": {tree}}}, "instance": {{"flavor": {{"flavorid": {tree}}}}}}}'
    try_to_decode(seen(f'{{"method": "migrate_server", "args": {args}}}'.encode()))


@pytest.mark.parametrize("headers", [None, [], "text", 17])
def test_headers_that_are_no_table_are_refused(headers: Any) -> None:
    observation = Observation(
        at_ns=1, exchange="amq.rabbitmq.trace", routing_key="publish.nova", headers=headers, body=b"{}", size=2
    )
    with pytest.raises(DecodeError):
        Decoder(load_rules()).decode(observation)


@pytest.mark.parametrize(
    "text", ['{"method": NaN}', '{"method": "\\ud800"}', '{"method": 1e999}', '{"method": 1' + "0" * 5000 + "}"]
)
def test_numbers_and_escapes_that_json_does_not_know_do_no_harm(text: str) -> None:
    try_to_decode(seen(text.encode()))
    try_to_decode(seen(json.dumps({"oslo.version": "2.0", "oslo.message": text}).encode()))


def test_a_body_of_64_megabytes_is_decoded() -> None:
    inner = {"method": "m", "args": {"x": "y" * (64 << 20)}}
    assert isinstance(try_to_decode(seen(bare(inner))), Message)


def test_the_memory_of_bodies_is_bounded() -> None:
    decoder = Decoder(load_rules())
    for number in range(1000):
        decoder.decode(seen(enveloped({"method": f"m{number}"})))
    assert len(decoder._memo) <= 256
