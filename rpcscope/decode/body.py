"""The two layers of an oslo.messaging body.

    {"oslo.version": "2.0", "oslo.message": "<JSON text>"}      format 2.0, all RPC, messagingv2
    {"event_type": ..., "payload": ...}                         format 1.0, `messaging` notifications

Only the fields named here are looked at; `args`, `result` and `payload` stay unparsed.
Source: oslo_messaging/_drivers/common.py :: serialize_msg, deserialize_msg.
"""

from __future__ import annotations

from typing import Any

import msgspec

from rpcscope.errors import DecodeError

Raw = msgspec.Raw


class Envelope(msgspec.Struct):
    """The outer object of format 2.0."""

    version: Any = msgspec.field(default=None, name="oslo.version")
    message: Any = msgspec.field(default=None, name="oslo.message")


class Inner(msgspec.Struct):
    """The fields that are needed, whatever their type: hostile ones are told apart later."""

    method: Any = None
    namespace: Any = None
    version: Any = None
    args: Raw = Raw(b"")
    msg_id: Any = msgspec.field(default=None, name="_msg_id")
    reply_q: Any = msgspec.field(default=None, name="_reply_q")
    timeout: Any = msgspec.field(default=None, name="_timeout")
    unique_id: Any = msgspec.field(default=None, name="_unique_id")
    request_id: Any = msgspec.field(default=None, name="_context_request_id")
    global_request_id: Any = msgspec.field(default=None, name="_context_global_request_id")
    project_id: Any = msgspec.field(default=None, name="_context_project_id")
    traceparent: Any = msgspec.field(default=None, name="_context_traceparent")
    event_type: Any = None
    publisher_id: Any = None
    message_id: Any = None
    payload: Raw = Raw(b"")
    ending: Any = None
    failure: Any = None
    result: Raw = Raw(b"")
    scrubbed: Any = msgspec.field(default=None, name="rpcscope")  # see rpcscope.capture.scrub


class _Failure(msgspec.Struct):
    class_name: Any = msgspec.field(default=None, name="class")


_envelope = msgspec.json.Decoder(Envelope)
_inner = msgspec.json.Decoder(Inner)
_failure = msgspec.json.Decoder(_Failure)

_BAD = (msgspec.DecodeError, msgspec.ValidationError, RecursionError, ValueError)


def open_body(body: bytes) -> Inner:
    """The inner message of a body.

    Raises:
        DecodeError: not JSON, not an object, or an envelope of another major version.
    """
    try:
        outer = _envelope.decode(body)
        if outer.message is None:
            return _inner.decode(body)
        if not _compatible(outer.version):
            raise DecodeError("envelope version")
        if not isinstance(outer.message, str):
            raise DecodeError("envelope without text")
        return _inner.decode(outer.message)
    except _BAD as error:
        raise DecodeError("not JSON") from error


def _compatible(version: object) -> bool:
    return version == "2.0" or version is None or (isinstance(version, str) and version.split(".")[0] == "2")


def parse(raw: Raw) -> Any:
    """A part that was left unparsed, as Python objects; None when there is none or it is broken."""
    if not memoryview(raw).nbytes:
        return None
    try:
        return msgspec.json.decode(raw)
    except _BAD:
        return None


def failure_class(failure: object) -> object:
    """The class name in a reply's failure: a JSON string (oslo.messaging) or an object."""
    if isinstance(failure, dict):
        return failure.get("class")
    if not isinstance(failure, str):
        return None
    try:
        return _failure.decode(failure).class_name
    except _BAD:
        return None
