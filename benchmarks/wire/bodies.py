"""Bodies as nova sends them, made from what a recording kept of them.

A rebuilt body decodes to the same message as the recorded one, has its recorded size, and is as rich in keys as the
real ones: a context of thirty keys, versioned objects with data and changes, JSON in JSON with spaces.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any

import orjson

from rpcscope.model import Message, MessageKind, Observation

_INDIRECT = re.compile(r"(object_\w+)\((\w+)\.(\w+)\)")
_ID = "4fc6ff59fad447fba311d7a56f4b0f2a"
_ENDPOINTS = dict.fromkeys(("adminURL", "publicURL", "internalURL"), "http://192.0.2.10:8778")
_SERVICES = [
    {"type": name, "name": name, "endpoints": [{"region": "RegionOne", **_ENDPOINTS}]}
    for name in ("placement", "image", "network")
]
_CONTEXT = {
    "user": _ID,
    "user_id": _ID,
    "user_name": "admin",
    "user_domain": "default",
    "user_identity": f"{_ID} {_ID} - default default",
    "system_scope": None,
    "project": _ID,
    "project_name": "admin",
    "project_domain": "default",
    "domain": None,
    "is_admin": True,
    "is_admin_project": True,
    "read_only": False,
    "read_deleted": "no",
    "show_deleted": False,
    "auth_token": None,
    "global_request_id": None,
    "resource_uuid": None,
    "roles": ["admin", "member", "reader", "manager"],
    "remote_address": "192.0.2.7",
    "timestamp": "2026-11-20T08:36:28.100939",
    "quota_class": None,
    "service_catalog": _SERVICES,
}


def rebuild(seen: Observation, message: Message) -> bytes:
    """The body of a recorded event, at its recorded size where that can hold what the message needs."""
    inner = _inner(message, orjson.loads(orjson.loads(seen.body)["oslo.message"]))
    if message.failure:
        room = seen.size - len(_body(inner | {"failure": _failure(message, "")}))
        return _body(inner | {"failure": _failure(message, "t" * room)})
    if message.request_id:
        _add_context(inner, seen.size)
    _fill(inner, inner["args"] if "args" in inner else inner["result"], seen.size)
    return _body(inner)


def _body(inner: dict[str, Any]) -> bytes:
    return json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(inner)}).encode()


def _inner(message: Message, recorded: dict[str, Any]) -> dict[str, Any]:
    del recorded["_unique_id"]  # the driver adds it last
    recorded.pop("rpcscope", None)
    own = {"_unique_id": message.unique_id}
    if message.kind in (MessageKind.REPLY, MessageKind.HEARTBEAT):
        result = None if message.failure else dict[str, Any]()
        return {"result": result, "failure": None, "ending": True, **recorded, **own}
    return {"method": recorded.pop("method"), "args": _args(message), **recorded, **own}


def _failure(message: Message, traceback: str) -> str:
    return json.dumps({"class": message.failure, "module": "nova.exception", "message": "", "tb": [traceback]})


def _add_context(inner: dict[str, Any], size: int) -> None:
    for key, value in _CONTEXT.items():
        inner.setdefault(f"_context_{key}", value)
        if len(_body(inner)) > size:
            del inner[f"_context_{key}"]


# ---------------------------------------------------------------- what a request is about


def _args(message: Message) -> dict[str, Any]:
    indirect = _INDIRECT.fullmatch(message.method)
    if indirect is None:
        return _direct(message)
    how, owner, action = indirect.groups()
    if how == "object_action":
        return {"objinst": _owner(owner, message), "objmethod": action, "args": [], "kwargs": {}}
    event = [fact.partition(":")[2] for fact in message.facts if fact.startswith("event:")]
    keywords = {"exc_val": None, "exc_tb": None} if "finish" in action else {}
    arguments = [*message.instances, *event]
    return {
        "objname": owner,
        "objmethod": action,
        "object_versions": {owner: "1.0"},
        "args": arguments,
        "kwargs": keywords,
    }


def _direct(message: Message) -> dict[str, Any]:
    if len(message.instances) != 1 or message.method == "select_destinations":
        return {"instance_uuids": list(message.instances)}
    instance = _object("Instance", uuid=message.instances[0], host=message.instance_host or None)
    return {"instance": instance, "recreate": "recreate" in message.facts}


def _owner(owner: str, message: Message) -> dict[str, Any]:
    data = {"uuid" if owner == "Instance" else "instance_uuid": one for one in message.instances}
    if status := [fact.partition(":")[2] for fact in message.facts if fact.startswith("status:")]:
        data["status"] = status[0]
    if message.progress is not None:
        told = asdict(message.progress)
        data |= {"uuid": told.pop("migration"), **{name: value for name, value in told.items() if value is not None}}
    return _object(owner, **data)


def _object(name: str, /, **data: object) -> dict[str, Any]:
    return {
        "nova_object.name": name,
        "nova_object.namespace": "nova",
        "nova_object.version": "1.2",
        "nova_object.data": data,
        "nova_object.changes": sorted(data),
    }


# ---------------------------------------------------------------- up to the recorded size

_FLAVOR = _object(
    "Flavor", id=1, name="tiny", memory_mb=64, vcpus=1, root_gb=1, ephemeral_gb=0, swap=0, rxtx_factor=1.0,
    vcpu_weight=0, disabled=False, is_public=True, extra_specs={}, created_at="2026-11-20T08:32:01Z", updated_at=None,
    deleted=False,
)  # fmt: skip


def _fill(inner: dict[str, Any], filling: dict[str, Any], size: int) -> None:
    """As many objects as there is room for, the rest as one text."""
    bare = len(_body(inner))
    filling["request_spec"] = {"flavors": [_FLAVOR], "user_data": ""}
    one = len(_body(inner))
    filling["request_spec"]["flavors"].append(_FLAVOR)
    each = len(_body(inner)) - one
    if bare + each > size:
        filling["request_spec"] = ""
    else:
        filling["request_spec"]["flavors"] = [_FLAVOR] * max(0, (size - one) // each + 1)
    room = size - len(_body(inner))
    if room < 0:
        del filling["request_spec"]
    elif isinstance(filling["request_spec"], dict):
        filling["request_spec"]["user_data"] = "u" * room
    else:
        filling["request_spec"] = "u" * room
