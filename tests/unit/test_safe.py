"""What may leave a message is of a known shape; all else becomes a short digest."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given

from rpcscope import safe
from tests.support.wire import CONNECTION, INSTANCE, REQUEST_ID, UNIQUE_ID, VALUES

ALL: list[Callable[[object], str]] = [
    safe.name,
    safe.peer,
    safe.method,
    safe.object_method,
    safe.token,
    safe.fact,
    safe.version,
    safe.uuid,
    safe.request_id,
    safe.project,
    safe.message_id,
    safe.trace_id,
    safe.span_id,
]
DIGEST = re.compile(r"~[0-9a-f]{8}")


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (safe.name, "compute.host-1.example.org"),
        (safe.name, "reply_71cb3662c16744fca3da3c26ca02d487"),
        (safe.name, "reply_host-1:nova-conductor:3"),
        (safe.name, "neutron-vo-SecurityGroupRule-1.1"),
        (safe.name, "cinder-volume.host-1@lvm#pool"),
        (safe.peer, CONNECTION),
        (safe.peer, "[fd00::7]:42908 -> [fd00::1]:5671"),
        (safe.method, "object_class_action_versions"),
        (safe.method, "compute.instance.create.start"),
        (safe.object_method, "Instance.save"),
        (safe.fact, "event:compute__do_build_and_run_instance"),
        (safe.version, "6.2"),
        (safe.uuid, INSTANCE),
        (safe.request_id, REQUEST_ID),
        (safe.message_id, UNIQUE_ID),
    ],
)
def test_what_openstack_sends_stays_as_it_is(function: Callable[[object], str], text: str) -> None:
    assert function(text) == text


@pytest.mark.parametrize("text", ["S3cret!", "two words", "a\x00b", "\u202egnp.exe", "x" * 300, "\ud800", "-dash"])
def test_a_name_of_another_shape_becomes_a_digest(text: str) -> None:
    assert DIGEST.fullmatch(safe.name(text))
    assert safe.name(text) == safe.name(text)
    assert safe.name(text) != safe.name(text + "x")


@given(VALUES)
def test_no_value_breaks_and_none_passes_unbounded_or_with_control_characters(value: object) -> None:
    for function in ALL:
        text = function(value)
        assert len(text) <= 512
        assert text.isascii()
        assert text.isprintable()


@given(VALUES)
def test_what_is_safe_stays_as_it_is_when_made_safe_again(value: object) -> None:
    for function in ALL:
        once = function(value)
        if function not in (safe.trace_id, safe.span_id):  # a traceparent goes in, one of its ids comes out
            assert function(once) == once


def test_the_digest_of_a_text_does_not_hold_the_text() -> None:
    assert "hunter22" not in safe.digest("hunter22")
    assert DIGEST.fullmatch(safe.digest("hunter22"))
