"""With a key, names are replaced by names: the same ones everywhere, and nothing else changes."""

import json
import re
import stat
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings

from rpcscope.capture import CaptureReader, Pseudonyms, Scrubber, load_key, own, scrub_file
from rpcscope.decode import Decoder
from rpcscope.errors import DecodeError, UsageError
from rpcscope.model import Connection, Consumer, Marker, Message, Observation, Topology
from rpcscope.rules import load_rules
from tests.support.wire import (
    CAPTURES,
    CONNECTION,
    INSTANCE,
    PROJECT,
    RAW_CAPTURES,
    REQUEST_ID,
    UNIQUE_ID,
    enveloped,
    events,
    request,
    seen,
    sightings,
)

KEY = b"sixteen bytes or more"
NAMES = Pseudonyms(KEY)
HOST = NAMES.host("host-1")


def decode(observation: Observation) -> Message | Marker:
    return Decoder(load_rules()).decode(observation)


def messages(path: Path) -> list[Message | Marker | object]:
    return [decode(one) if isinstance(one, Observation) else one for one in sightings(path)]


def test_a_host_becomes_another_that_the_key_decides() -> None:
    assert re.fullmatch(r"compute-[0-9a-f]{10}", HOST)
    assert Pseudonyms(KEY).host("host-1") == HOST
    assert HOST not in (NAMES.host("host-2"), Pseudonyms(b"another key of 20 by").host("host-1"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("compute.host-1", f"compute.{HOST}"),
        ("compute", "compute"),
        ("conductor_fanout_" + UNIQUE_ID, "conductor_fanout_" + UNIQUE_ID),
        ("reply_" + UNIQUE_ID, "reply_" + UNIQUE_ID),
        ("reply_host-1:nova-conductor:3", f"reply_{HOST}:nova-conductor:3"),
        ("compute_fanout_host-1:nova-compute:1", f"compute_fanout_{HOST}:nova-compute:1"),
        ("neutron-vo-Port-1.5", "neutron-vo-Port-1.5"),
        ("neutron-vo-Port-1.5.host-1", f"neutron-vo-Port-1.5.{HOST}"),
        ("neutron-vo-Port-1.5_fanout_host-1:neutron-server:1", f"neutron-vo-Port-1.5_fanout_{HOST}:neutron-server:1"),
        ("q-agent-notifier-port-update.host-1", f"q-agent-notifier-port-update.{HOST}"),
        ("cinder-volume.host-1@lvm", f"cinder-volume.{NAMES.host('host-1@lvm')}"),
        ("notifications.info", "notifications.info"),
        ("versioned_notifications.error", "versioned_notifications.error"),
        ("", ""),
    ],
)
def test_of_a_queue_the_topic_stays_and_the_host_is_replaced(name: str, expected: str) -> None:
    assert NAMES.queue(name) == expected


def test_both_parts_of_a_cinder_host_are_replaced_and_the_host_is_the_same_host() -> None:
    host, backend = NAMES.host("host-1@lvm").split("@")
    assert host == HOST
    assert "lvm" not in backend


def test_the_exchange_of_a_fanout_shows_no_host() -> None:
    assert NAMES.exchange("compute_fanout") == "compute_fanout"
    assert NAMES.exchange("nova") == "nova"
    assert NAMES.exchange("cinder-volume.host-1@lvm_fanout") == f"cinder-volume.{NAMES.host('host-1@lvm')}_fanout"


def test_addresses_become_private_ones_and_ports_stay() -> None:
    assert re.fullmatch(r"10(\.\d+){3}:42908 -> 10(\.\d+){3}:5672", NAMES.peer(CONNECTION))
    assert NAMES.peer(CONNECTION).startswith(NAMES.address("10.0.0.7") + ":")
    assert re.fullmatch(r"10(\.\d+){3}:1 -> 10(\.\d+){3}:5671", NAMES.peer("[fd00::7]:1 -> [fd00::1]:5671"))
    assert NAMES.address("fd00:0:0::7") == NAMES.address("fd00::7")
    assert NAMES.address("ctl-1.example.org") == NAMES.host("ctl-1.example.org")


def test_ids_keep_their_form() -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", NAMES.project(PROJECT))
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", NAMES.instance(INSTANCE))
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", NAMES.project(INSTANCE))
    assert NAMES.node("rabbit@host-1") == f"rabbit@{HOST}"
    assert NAMES.vhost("nova34").startswith("vhost-")


def test_a_digest_is_replaced_since_it_could_be_found_by_trying() -> None:
    assert NAMES.word("~0a1b2c3d") != "~0a1b2c3d"
    assert re.fullmatch("~[0-9a-f]{8}", NAMES.word("~0a1b2c3d"))
    assert NAMES.word("conductor") == "conductor"


@pytest.mark.parametrize("path", RAW_CAPTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_pseudonymised_capture_holds_the_same_messages_under_other_names(tmp_path: Path, path: Path) -> None:
    scrub_file(path, tmp_path / "a", Scrubber(load_rules(), NAMES))
    before, after = messages(path), messages(tmp_path / "a")
    expected = [NAMES.message(one) if isinstance(one, Message) else one for one in before]
    expected = [NAMES.topology(one) if isinstance(one, Topology) else one for one in expected]
    assert after == expected


def test_names_stay_apart_and_joins_stay_joined(tmp_path: Path) -> None:
    path = CAPTURES / "nova34" / "12_evacuate_6.jsonl.zst"
    scrub_file(path, tmp_path / "a", Scrubber(load_rules(), NAMES))

    def shape(path: Path) -> list[Counter[tuple[object, ...]]]:
        """How often each name is used together with what stays, whatever the name is."""
        found = [one for one in messages(path) if isinstance(one, Message)]
        columns = ("server", "queue", "connection", "project_id", "instances", "instance_host", "topic", "exchange")
        return [
            Counter(Counter(getattr(one, column) for one in found).values())  # type: ignore[misc]
            for column in columns
        ] + [Counter((one.kind, one.method, one.request_id, one.msg_id, one.unique_id) for one in found)]

    assert shape(tmp_path / "a") == shape(path)


def test_the_same_key_gives_the_same_names_in_another_file(tmp_path: Path) -> None:
    hosts = []
    for name in ("01_boot_1", "05_delete_1"):
        scrub_file(CAPTURES / "nova34" / f"{name}.jsonl.zst", tmp_path / name, Scrubber(load_rules(), Pseudonyms(KEY)))
        snapshots = [one for one in sightings(tmp_path / name) if isinstance(one, Topology)]
        hosts.append({c.queue.partition(".")[2] for c in snapshots[0].consumers if c.queue.startswith("compute.")})
    assert len(hosts[0]) == 3
    assert hosts[0] == hosts[1]


def test_no_name_of_the_original_is_left(tmp_path: Path) -> None:
    path = RAW_CAPTURES[0]
    scrub_file(path, tmp_path / "a", Scrubber(load_rules(), NAMES))
    text = "".join(own.line(one).decode() for one in sightings(tmp_path / "a"))
    found = [one for one in messages(path) if isinstance(one, Message)]
    names = {name for one in found for name in (one.server, one.project_id, one.instance_host, *one.instances)}
    names |= {"127.0.0.1", "rabbit@vm", "nova34", "01_boot_1"}
    assert len(names) > 6
    assert [name for name in names if name and re.search(rf"{re.escape(name)}(?![0-9a-f])", text)] == []


def test_the_header_says_it_and_repeats_no_text_of_the_original(tmp_path: Path) -> None:
    path = CAPTURES / "nova34" / "01_boot_1.jsonl.zst"
    scrub_file(path, tmp_path / "shared", Scrubber(load_rules(), NAMES))
    with CaptureReader(tmp_path / "shared") as copy, CaptureReader(path) as original:
        assert (copy.pseudonymized, original.pseudonymized) == (True, False)
        assert (copy.label, copy.conditions) == ("shared", "")
        assert copy.digest == original.digest


def test_a_pseudonymised_capture_that_is_scrubbed_again_still_says_so(tmp_path: Path) -> None:
    scrub_file(RAW_CAPTURES[0], tmp_path / "a", Scrubber(load_rules(), NAMES))
    scrub_file(tmp_path / "a", tmp_path / "b", Scrubber(load_rules()))
    with CaptureReader(tmp_path / "b") as reader:
        assert reader.pseudonymized


def test_snapshots_and_messages_agree_on_names() -> None:
    scrubber = Scrubber(load_rules(), NAMES)
    snapshot = scrubber.scrub(
        Topology(
            at_ns=1,
            connections=(Connection(name=CONNECTION, client_name="", peer_host="10.0.0.7", node="rabbit@host-1"),),
            consumers=(Consumer(connection=CONNECTION, queue="compute.host-1"),),
        )
    )
    event = scrubber.scrub(seen(enveloped(request()), "deliver", routing_key="compute.host-1", node="rabbit@host-1"))
    assert isinstance(snapshot, Topology)
    assert isinstance(event, Observation)
    message = decode(event)
    assert isinstance(message, Message)
    assert (message.connection, message.queue) == (snapshot.consumers[0].connection, snapshot.consumers[0].queue)
    assert message.server == HOST
    assert event.headers["node"] == snapshot.connections[0].node
    assert message.request_id == REQUEST_ID


@settings(max_examples=200, deadline=None)
@given(events())
def test_any_event_decodes_to_its_message_under_other_names(event: Observation) -> None:
    kept = Scrubber(load_rules(), NAMES).observation(event)
    if kept is None:
        with pytest.raises(DecodeError):
            decode(event)
        return
    before = decode(event)
    read = own.sighting(json.loads(own.line(kept)))
    assert isinstance(read, Observation)
    assert decode(read) == (NAMES.message(before) if isinstance(before, Message) else before)


def test_a_missing_key_file_is_made_for_its_owner_alone_and_used_again(tmp_path: Path) -> None:
    key = load_key(tmp_path / "key")
    assert len(key) >= 32
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert load_key(tmp_path / "key") == key


def test_a_short_key_gets_a_sentence_that_does_not_repeat_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"hunter2hunter2\n\n\n\n")
    with pytest.raises(UsageError, match="less than 16 bytes") as caught:
        load_key(tmp_path / "key")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", [".", "no/such/folder/key", "x" * 300, "a\0b"])
def test_a_key_file_that_can_not_be_used_gets_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="name a file that you may read and write"):
        load_key(tmp_path / name)
