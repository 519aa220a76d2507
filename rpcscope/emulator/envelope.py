"""Bodies as oslo.messaging writes and reads them, of a wanted size.

    {"oslo.version": "2.0", "oslo.message": "{\"_unique_id\": \"...\", \"_msg_id\": \"...\", ...}"}

The order of keys is ours, so that what comes back from our own processes is recognised without parsing: the unique id
comes first, then the message id, then whether a reply ends its call. Padding stands where no server looks: in the
context of a request, in the result of a reply.
Source: oslo_messaging/_drivers/common.py :: serialize_msg, serialize_remote_exception; amqpdriver.py :: _send_reply.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rpcscope.arguments import Subject, arguments, context, wire_method
from rpcscope.emulator import slots
from rpcscope.emulator.ids import ID_SIZE
from rpcscope.emulator.slots import Slots

FAILURES = "nova.exception"
"""The module that failures are said to be of."""
_BEGIN = b'{"oslo.version": "2.0", "oslo.message": "{\\"_unique_id\\": \\"'
_THEN = b'\\", \\"_msg_id\\": \\"'
_ENDING = b'\\", \\"ending\\": '
UNIQUE_AT = len(_BEGIN)
UNIQUE_END = UNIQUE_AT + ID_SIZE
MSG_AT = UNIQUE_END + len(_THEN)
MSG_END = MSG_AT + ID_SIZE
_ENDING_AT = MSG_END + len(_ENDING)


def is_our_reply(body: bytes) -> bool:
    """A reply of our own layout: its message id is at MSG_AT."""
    return body.startswith(_BEGIN) and body.startswith(_ENDING, MSG_END)


def is_ending(body: bytes) -> bool:
    """A reply of our layout ends its call; else it is a heartbeat."""
    return body.startswith(b"true", _ENDING_AT)


def request(
    about: Subject, marks: Slots, size: int, *, namespace: str, version: str, is_call: bool, monitor_s: int | None
) -> bytes:
    """A call's, cast's or fanout's body of `size` bytes; larger when what it must tell takes more."""
    message: dict[str, Any] = {"_unique_id": marks.mark(slots.UNIQUE)}
    if is_call:
        message |= {"_msg_id": marks.mark(slots.MSG), "_reply_q": marks.mark(slots.REPLY_Q), "_timeout": monitor_s}
    message["method"] = wire_method(about.method)
    if namespace:
        message["namespace"] = namespace
    if version:
        message["version"] = version
    message["args"] = arguments(about)
    message |= {f"_context_{key}": value for key, value in context(marks.mark(slots.REQUEST)).items()}
    return _padded(message, "_context_padding", size)


def reply(marks: Slots, size: int, failure: str = "") -> bytes:
    """A reply's body: of `failure`'s class, or with a result that is padding; null where there is no room for one."""
    message: dict[str, Any] = {
        "_unique_id": marks.mark(slots.UNIQUE),
        "_msg_id": marks.mark(slots.MSG),
        "ending": True,
        "failure": None,
        "result": None,
    }
    if not failure:
        return _padded(message, "result", size)
    told = {"class": failure, "module": FAILURES, "message": "", "tb": [], "args": [], "kwargs": {}}
    message["failure"] = json.dumps(told)
    told["message"] = "." * max(0, size - len(_text(message)))
    message["failure"] = json.dumps(told)
    return _text(message)


def heartbeat(marks: Slots) -> bytes:
    """What a server says while it is still at a watched call."""
    ids = {"_unique_id": marks.mark(slots.UNIQUE), "_msg_id": marks.mark(slots.MSG)}
    return _text({**ids, "ending": False, "failure": None, "result": None})


def _padded(message: dict[str, Any], key: str, size: int) -> bytes:
    """`message` with padding under `key`, when there is room for any."""
    without = len(_text({**message, key: ""}))
    if size <= without:
        return _text(message)
    return _text({**message, key: "." * (size - without)})


def _text(message: Mapping[str, Any]) -> bytes:
    return json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(message)}).encode()
