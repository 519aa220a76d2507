"""Secrets never land: what is not known to be safe is in no message, file, log or sentence."""

import base64
import gzip
import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from rpcscope.capture import CaptureReader, Pseudonyms, Scrubber, load_key, own, scrub_file
from rpcscope.decode import Decoder
from rpcscope.errors import DecodeError, RpcscopeError
from rpcscope.model import Observation
from rpcscope.rules import load_rules
from tests.support.wire import RAW_CAPTURES, bare, enveloped, jsonl, observations, raw_line, request, seen

SECRET = "PS7q-Tr0ub4dor&3"
MARKER = "PS7q"
ENCODED = base64.b64encode(f"rabbit://nova:{SECRET}@ctl".encode()).decode()
TRACEBACK = ["Traceback (most recent call last):", f'  File "a.py", line 1, in connect("{SECRET}")']
FAILURE = {
    "class": "DBConnectionError",
    "message": f"mysql://nova:{SECRET}@db",
    "tb": TRACEBACK,
    "kwargs": {"p": SECRET},
}
REPLY = {
    "_msg_id": "2cf1aab7cf244a078bf866840941b85f",
    "ending": True,
    "_unique_id": "e6f5a099b12345f1a67be58bf9bcfa98",
}

PLANTED: dict[str, Observation] = {
    "argument": seen(enveloped(request(args={"admin_pass": SECRET, "instance_uuids": [SECRET]}))),
    "argument in base64": seen(enveloped(request(args={"user_data": ENCODED}))),
    "name of an argument": seen(enveloped(request(args={SECRET: 1}))),
    "unknown key": seen(enveloped(request(_context_auth_token=SECRET, **{SECRET: SECRET}))),
    "method": seen(enveloped(request(method=SECRET))),
    "namespace": seen(enveloped(request(namespace=SECRET))),
    "version": seen(enveloped(request(version=SECRET))),
    "message ids": seen(enveloped(request(_msg_id=SECRET, _unique_id=SECRET, _reply_q=SECRET))),
    "request ids": seen(enveloped(request(_context_request_id=SECRET, _context_global_request_id=SECRET))),
    "project and trace": seen(enveloped(request(_context_project_id=SECRET, _context_traceparent=SECRET))),
    "object and its method": seen(
        enveloped(request(method="object_action", args={"objname": SECRET, "objmethod": SECRET}))
    ),
    "host of a server": seen(enveloped(request(args={"instance": {"host": SECRET, "uuid": SECRET}}))),
    "status of a migration": seen(
        enveloped(
            request(
                method="object_action",
                args={
                    "objmethod": "save",
                    "objinst": {"nova_object.name": "Migration", "nova_object.data": {"status": SECRET}},
                },
            )
        )
    ),
    "name of an event": seen(
        enveloped(
            request(
                method="object_class_action_versions",
                args={"objname": "InstanceActionEvent", "objmethod": "event_start", "args": [1, SECRET]},
            )
        )
    ),
    "exception": seen(enveloped({**REPLY, "failure": json.dumps(FAILURE)})),
    "exception as an object": seen(enveloped({**REPLY, "failure": FAILURE})),
    "class of an exception": seen(enveloped({**REPLY, "failure": json.dumps({"class": SECRET})})),
    "failure without a class": seen(enveloped({**REPLY, "failure": SECRET})),
    "result": seen(enveloped({**REPLY, "result": {"token": SECRET}})),
    "type of an event": seen(bare({"event_type": SECRET, "payload": {"instance_id": SECRET}})),
    "payload": seen(bare({"event_type": "a.b", "payload": {"admin_pass": SECRET}, "publisher_id": SECRET})),
    "what scrubbing kept": seen(
        enveloped(
            request(
                rpcscope={
                    "object": SECRET,
                    "instances": [SECRET],
                    "instance_host": SECRET,
                    "facts": [SECRET, f"a:{SECRET}"],
                }
            )
        )
    ),
    "routing key": seen(enveloped(request()), routing_key=f"conductor.{SECRET}"),
    "topic": seen(enveloped(request()), routing_key=SECRET),
    "object topic": seen(enveloped(request()), routing_key=f"neutron-vo-{SECRET}"),
    "exchange": seen(enveloped(request()), exchange=SECRET),
    "exchange of a fanout": seen(enveloped(request(_msg_id=None)), exchange=f"{SECRET}_fanout"),
    "queue": seen(enveloped(request()), f"deliver.{SECRET}"),
    "routed queues": seen(enveloped(request()), routed_queues=[SECRET, [SECRET], {SECRET: SECRET}]),
    "headers": seen(
        enveloped(request()), user=SECRET, node=SECRET, vhost=SECRET, connection=SECRET, **{SECRET: SECRET}
    ),
    "properties": seen(
        enveloped(request()), properties={"headers": {"x": SECRET, SECRET: 1}, "user_id": SECRET, "expiration": SECRET}
    ),
    "text that is no message": seen(SECRET.encode()),
    "object that is no message": seen(enveloped({"password": SECRET})),
    "trace key": seen(enveloped(request()), f"{SECRET}.x"),
    "marker": Observation(
        at_ns=1,
        exchange="",
        routing_key=SECRET,
        headers={"rpcscope-marker": 1, SECRET: SECRET},
        body=SECRET.encode(),
        size=1,
    ),
}


def tells(observation: Observation, names: Pseudonyms | None) -> Iterator[str]:
    """All that comes out of an event: the message, the scrubbed line, the error."""
    try:
        yield repr(Decoder(load_rules()).decode(observation))
    except DecodeError as error:
        yield f"{error} {error!r}"
    kept = Scrubber(load_rules(), names).scrub(observation)
    yield own.line(kept).decode() if kept is not None else ""


def leaked(text: str) -> bool:
    return MARKER in text or SECRET in text or ENCODED[:20] in text or "Tr0ub4dor" in text


@pytest.mark.parametrize("place", PLANTED)
@pytest.mark.parametrize("names", [None, Pseudonyms(b"k" * 16)], ids=["plain", "pseudonymised"])
def test_a_secret_in_any_place_comes_out_of_none(
    place: str, names: Pseudonyms | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert leaked(repr(PLANTED[place]).replace("\\", "")), "the secret has to be there to be missed"
    for text in tells(PLANTED[place], names):
        assert not leaked(text)
    assert caplog.text == ""


# A value of 8 or more characters may get through under these names alone, wherever they are in a body.
ALLOWED_KEYS = {
    "method",
    "namespace",
    "version",
    "event_type",
    "objname",
    "objmethod",
    "nova_object.name",
    "_msg_id",
    "_reply_q",
    "_unique_id",
    "_context_request_id",
    "_context_global_request_id",
    "_context_project_id",
    "uuid",
    "instance_uuid",
    "instance_uuids",
    "instance_id",
    "host",
    "status",
    "class",
    "oslo.version",
    "publisher_id",
    "state",
    "task_state",
}


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a value, with the key it is under; JSON in a text is looked into."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, key)
    elif isinstance(value, str) and value[:1] in ("{", "["):
        try:
            yield from leaves(json.loads(value), key)
        except ValueError:
            yield key, value
    elif isinstance(value, str):
        yield key, value


@pytest.mark.parametrize("path", RAW_CAPTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_value_of_a_field_that_is_not_allowed_is_in_a_scrubbed_capture(tmp_path: Path, path: Path) -> None:
    scrub_file(path, tmp_path / "a", Scrubber(load_rules()))
    with zstandard.open(tmp_path / "a", "rt", encoding="utf-8") as file:
        words = set(re.split(r"[\"\\\[\]{},()]+", file.read()))
    found = [leaf for event in observations(path) for leaf in leaves(json.loads(event.body))]
    allowed = {value for key, value in found if key in ALLOWED_KEYS}
    allowed |= {
        value for key, value in found if key == "args" and value.startswith("compute_")
    }  # names of action events
    allowed |= {"properties", "task_state", "127.0.0.1"}  # keys of the format, and the address in every connection
    secret = {value for key, value in found if len(value) >= 8 and value not in allowed}
    assert any(MARKER in value for value in secret)
    assert len(secret) > 50
    assert secret & words == set()


@pytest.mark.parametrize("path", RAW_CAPTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_marked_secrets_of_a_recorded_capture_come_out_of_nothing(tmp_path: Path, path: Path) -> None:
    events = observations(path)
    assert any(MARKER.encode() in event.body for event in events)
    for event in events:
        for text in tells(event, None):
            assert MARKER not in text
    scrub_file(path, tmp_path / "a", Scrubber(load_rules()))
    with zstandard.open(tmp_path / "a", "rt", encoding="utf-8") as file:
        assert MARKER not in file.read()


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40))
def test_a_secret_of_any_characters_under_a_key_that_is_not_allowed_stays_out(secret: str) -> None:
    secret = f"|{secret}|"
    inner = request(args={"admin_pass": secret, "nested": [{"token": secret}]}, _context_auth_token=secret)
    reply = {**REPLY, "result": secret, "failure": {"message": secret}}
    for observation in (seen(enveloped(inner)), seen(enveloped(reply))):
        for text in tells(observation, None):
            assert secret not in text


def management(secret: str) -> dict[str, Any]:
    return {
        "at_end": {
            "overview": {"cluster_name": secret},
            "connections": [
                {
                    "name": secret,
                    "user": secret,
                    "peer_host": secret,
                    "node": secret,
                    "client_properties": {"connection_name": secret, "password": secret, secret: secret},
                }
            ],
            "consumers": [
                {"queue": {"name": secret}, "consumer_tag": secret, "channel_details": {"connection_name": secret}}
            ],
        }
    }


def test_secrets_in_the_management_apis_answers_stay_out(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl([raw_line(1)]))
    (tmp_path / "a.mgmt.json.gz").write_bytes(gzip.compress(json.dumps(management(SECRET)).encode()))
    with CaptureReader(tmp_path / "a.jsonl") as reader:
        assert not leaked(repr(list(reader.batches())))
    scrub_file(tmp_path / "a.jsonl", tmp_path / "b", Scrubber(load_rules()))
    with zstandard.open(tmp_path / "b", "rt", encoding="utf-8") as file:
        assert not leaked(file.read())


def read(path: Path) -> None:
    with CaptureReader(path) as reader:
        list(reader.batches())


SENTENCES: dict[str, Callable[[Path], object]] = {"capture": read, "key": load_key}


@pytest.mark.parametrize(
    "content", [SECRET[:12], f'{{"x": "{SECRET}"}}\n', f'{{"rpcscope_capture": "{SECRET}"}}\n', f"[{SECRET}"]
)
@pytest.mark.parametrize("action", SENTENCES)
def test_no_sentence_repeats_what_a_file_holds(tmp_path: Path, content: str, action: str) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    try:
        SENTENCES[action](tmp_path / "a.jsonl")
    except RpcscopeError as error:
        assert not leaked(str(error))  # noqa: PT017
        assert error.__cause__ is None or not leaked(repr(error.__cause__))  # noqa: PT017
    else:
        assert action == "key"
