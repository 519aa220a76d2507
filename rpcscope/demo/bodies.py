"""What a played message carries: the arguments that tell what it is about, and padding up to the recorded size.

Sources: oslo_messaging/_drivers/common.py and amqpdriver.py for the envelope; rpcscope/arguments.py for the
arguments.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rpcscope import arguments
from rpcscope.arguments import Subject
from rpcscope.arguments import context as context
from rpcscope.demo.control import Casting
from rpcscope.demo.scenes import EVERY_INSTANCE, SOURCE, Step

_ID = "0" * 32
_REPLY_Q = "reply_" + _ID
MONITOR_S = 60  # nova watches calls that may take longer than this


def wire_method(step: Step) -> str:
    """The method's name as it is sent: nova's indirection without what is behind it."""
    return arguments.wire_method(step.method)


def monitor_s(step: Step) -> int | None:
    """The call-monitor timeout, in s, of a call that may take long."""
    return MONITOR_S if step.timeout_ms > MONITOR_S * 1000 else None


def request(step: Step, casting: Casting, reference: tuple[int, int], ctxt: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a step: `reference` (play and step), what it is about, padding."""
    args: dict[str, Any] = {"play": reference, **_about(step, casting), "padding": ""}
    message: dict[str, Any] = {"method": wire_method(step), "args": args, "_unique_id": _ID}
    if step.namespace:
        message["namespace"] = step.namespace
    if step.version:
        message["version"] = step.version
    if step.reply_bytes:
        message |= {"_msg_id": _ID, "_reply_q": _REPLY_Q, "_timeout": monitor_s(step)}
    message |= {f"_context_{key}": value for key, value in ctxt.items()}
    args["padding"] = _padding(step.request_bytes, message)
    return args


def result(step: Step) -> str | None:
    """What a step answers: padding, or None when the recorded reply had room for no more."""
    return _padding(step.reply_bytes, _reply("")) or None


def failure_text(step: Step, traceback: Sequence[str]) -> str:
    """The message of the step's exception, for an exception that has this traceback without a message.

    The text travels three times: as message, as argument and in the traceback.
    """
    told: dict[str, Any] = {
        "class": step.failure,
        "module": f"{__package__}.failures",
        "message": "",
        "tb": list(traceback),
    }
    padding = _padding(step.reply_bytes, _reply(None, json.dumps(told | {"args": [""], "kwargs": {}})))
    return padding[: len(padding) // 3]


def _reply(value: str | None, failure: str | None = None) -> dict[str, Any]:
    return {"result": value, "failure": failure, "ending": True, "_msg_id": _ID, "_unique_id": _ID}


def _padding(wanted: int, message: Mapping[str, Any]) -> str:
    body = json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(message)})
    return "." * max(0, wanted - len(body))


def _about(step: Step, casting: Casting) -> dict[str, Any]:
    every = casting.instances
    about = Subject(
        method=step.method,
        detail=step.detail,
        instances=every if step.instance == EVERY_INSTANCE else every[step.instance : step.instance + 1],
        source=casting.hosts.get(SOURCE),
        sender=casting.hosts.get(step.host_from, ""),
    )
    return arguments.arguments(about)
