"""What a scrubbed event decodes to is what its original decodes to, and it holds nothing else."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings

from rpcscope.capture import Scrubber, own
from rpcscope.decode import Decoder
from rpcscope.errors import DecodeError
from rpcscope.model import Gap, GapCause, Marker, Message, Observation, Topology
from rpcscope.rules import load_rules
from tests.support.wire import CAPTURES, RAW_CAPTURES, bare, enveloped, events, observations, request, seen, sightings


def decode(observation: Observation) -> Message | Marker:
    return Decoder(load_rules()).decode(observation)


def scrub(observation: Observation) -> Observation | None:
    """Scrubbed, and through the format of the file."""
    kept = Scrubber(load_rules()).observation(observation)
    if kept is None:
        return None
    read = own.sighting(json.loads(own.line(kept)))
    assert isinstance(read, Observation)
    assert read == kept
    return read


@pytest.mark.parametrize("path", RAW_CAPTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_event_of_a_recorded_capture_decodes_as_before(path: Path) -> None:
    for event in observations(path):
        kept = scrub(event)
        assert kept is not None
        assert decode(kept) == decode(event)


@pytest.mark.parametrize("path", RAW_CAPTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_shipped_scrubbed_captures_are_what_the_scrubber_makes_of_the_raw_ones(path: Path) -> None:
    scrubbed = CAPTURES / path.parent.name / path.name
    assert [decode(one) for one in observations(scrubbed)] == [decode(one) for one in observations(path)]


@settings(max_examples=300, deadline=None)
@given(events())
def test_every_event_that_decodes_decodes_as_before(event: Observation) -> None:
    try:
        message = decode(event)
    except DecodeError:
        assert scrub(event) is None
        return
    kept = scrub(event)
    assert kept is not None
    assert decode(kept) == message
    assert scrub(kept) == kept


def test_the_size_of_the_original_is_kept() -> None:
    event = seen(enveloped(request(args={"x": "y" * 10_000})))
    kept = scrub(event)
    assert kept is not None
    assert kept.size == event.size
    assert len(kept.body) < 1000


def test_a_body_keeps_its_format() -> None:
    packed, plain = scrub(seen(enveloped(request()))), scrub(seen(bare({"event_type": "a.b", "payload": {}})))
    assert packed is not None
    assert plain is not None
    assert list(json.loads(packed.body)) == ["oslo.version", "oslo.message"]
    assert json.loads(plain.body)["event_type"] == "a.b"


def test_headers_are_rebuilt_from_what_is_known() -> None:
    kept = scrub(
        seen(
            enveloped(request()),
            routing_key="compute.host-1",
            node="rabbit@ctl-1",
            vhost="Top Secret",
            user="admin-of-all",
            routed_queues=["compute.host-1", "Odd Queue"],
            properties={
                "expiration": "60000",
                "priority": 0,
                "delivery_mode": 2,
                "user_id": "x",
                "headers": {"k": "v"},
            },
        )
    )
    assert kept is not None
    headers = dict(kept.headers)
    assert headers.pop("routed_queues")[0] == "compute.host-1"
    assert headers.pop("vhost").startswith("~")
    assert headers == {
        "exchange_name": "nova",
        "routing_keys": ["compute.host-1"],
        "properties": {"delivery_mode": 2, "priority": 0, "expiration": "60000"},
        "node": "rabbit@ctl-1",
        "connection": "10.0.0.7:42908 -> 10.0.0.1:5672",
        "channel": 1,
    }


def test_of_a_trace_context_its_ids_are_kept() -> None:
    kept = scrub(
        seen(enveloped(request(_context_traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03")))
    )
    assert kept is not None
    assert b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" in kept.body


def test_events_that_do_not_decode_are_dropped_and_counted() -> None:
    scrubber = Scrubber(load_rules())
    assert scrubber.scrub(seen(b"not JSON")) is None
    assert scrubber.scrub(seen(enveloped(request()))) is not None
    assert scrubber.dropped == 1


def test_a_gap_keeps_its_times_and_loses_its_note() -> None:
    gap = Gap(from_ns=1, to_ns=2, cause=GapCause.NOT_TRACED, estimate=None, note="rabbit@secret")
    assert Scrubber(load_rules()).scrub(gap) == Gap(from_ns=1, to_ns=2, cause=GapCause.NOT_TRACED)


def test_a_snapshot_that_was_read_is_scrubbed_already() -> None:
    snapshots = [one for one in sightings(RAW_CAPTURES[0]) if isinstance(one, Topology)]
    assert len(snapshots[0].connections) > 10
    assert [Scrubber(load_rules()).scrub(one) for one in snapshots] == snapshots


def test_a_marker_stays_a_marker() -> None:
    own_marker = Observation(
        at_ns=5,
        exchange="",
        routing_key="rpcscope.tap.SECRET",
        headers={"rpcscope-marker": 7, "sent-ns": 4},
        body=b"S",
        size=1,
    )
    for marker in (own_marker, seen(b"S", exchange="", routing_key="rpcscope.tap.SECRET")):
        kept = scrub(marker)
        assert kept is not None
        assert decode(kept) == decode(marker)
        assert "SECRET" not in repr(kept)
