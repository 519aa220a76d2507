"""What a played message carries: the arguments that tell what it is about, and padding up to the recorded size.

Sources: oslo_messaging/_drivers/common.py and amqpdriver.py for the envelope; nova/conductor/rpcapi.py and
nova/objects/base.py for the arguments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rpcscope.demo.control import Casting
from rpcscope.demo.scenes import EVERY_INSTANCE, SOURCE, Step

_INDIRECT = re.compile(r"(object_\w+)\((\w+)\.(\w+)\)")
_ID = "0" * 32
_REPLY_Q = "reply_" + _ID
_PROJECT = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
MONITOR_S = 60  # nova watches calls that may take longer than this


def wire_method(step: Step) -> str:
    """The method's name as it is sent: nova's indirection without what is behind it."""
    indirect = _INDIRECT.fullmatch(step.method)
    return indirect[1] if indirect else step.method


def monitor_s(step: Step) -> int | None:
    """The call-monitor timeout, in s, of a call that may take long."""
    return MONITOR_S if step.timeout_ms > MONITOR_S * 1000 else None


def context(request_id: str) -> dict[str, Any]:
    """The request's context, with nova's keys and no token."""
    return {
        "request_id": request_id,
        "global_request_id": None,
        "project_id": _PROJECT,
        "user_id": _PROJECT,
        "is_admin": True,
        "read_only": False,
        "show_deleted": False,
        "auth_token": None,
        "service_catalog": [],
    }


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
    mine = every if step.instance == EVERY_INSTANCE else every[step.instance : step.instance + 1]
    indirect = _INDIRECT.fullmatch(step.method)
    if indirect:
        return _indirect(step, indirect[2], indirect[3], mine[0] if mine else "", casting)
    if step.method == "schedule_and_build_instances":
        return {"build_requests": [_object("BuildRequest", instance_uuid=uuid) for uuid in mine]}
    about: dict[str, Any] = {"instance_uuids": mine}
    if len(mine) == 1:
        about = {"instance": _object("Instance", uuid=mine[0], host=casting.hosts.get(SOURCE))}
    if step.method == "rebuild_instance":
        about["recreate"] = step.detail == "recreate"
    return about


def _indirect(step: Step, owner: str, action: str, uuid: str, casting: Casting) -> dict[str, Any]:
    if wire_method(step) == "object_action":
        return {"objinst": _instance_of(owner, uuid, step.detail), "objmethod": action, "args": [], "kwargs": {}}
    arguments, keywords = [uuid], dict[str, Any]()
    if owner == "InstanceActionEvent":
        arguments.append(step.detail)
        keywords = {"want_result": False}
        if action.endswith("with_failure"):
            keywords |= {"exc_val": None, "exc_tb": None}
    elif not (owner.startswith("Instance") or "instance" in action):
        arguments = [casting.hosts.get(step.host_from, "")]
    return {
        "objname": owner,
        "objmethod": action,
        "object_versions": {owner: "1.0"},
        "args": arguments,
        "kwargs": keywords,
    }


def _instance_of(owner: str, uuid: str, status: str) -> dict[str, Any]:
    """The object that an action is for; Instance is known by its own uuid, others by their server's."""
    if owner == "Instance":
        return _object(owner, uuid=uuid)
    if owner == "ComputeNode":
        return _object(owner)
    return _object(owner, instance_uuid=uuid, **({"status": status} if status else {}))


def _object(name: str, **data: object) -> dict[str, Any]:
    return {
        "nova_object.name": name,
        "nova_object.namespace": "nova",
        "nova_object.version": "1.0",
        "nova_object.data": data,
        "nova_object.changes": sorted(data),
    }
