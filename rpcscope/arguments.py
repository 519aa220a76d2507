"""What a played request says: the method as it is sent, nova's context, and arguments that tell what it is about.

Only what a reader of the play looks for is there: servers, hosts, names of events, statuses. Sources:
nova/conductor/rpcapi.py and nova/objects/base.py for the arguments, nova/context.py for the context.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_INDIRECT = re.compile(r"(object_\w+)\((\w+)\.(\w+)\)")
_PROJECT = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a request is about."""

    method: str  # as rpcscope names it: object_action(Instance.save)
    detail: str = ""  # an action event's name, a migration's status
    instances: Sequence[str] = ()  # uuids of servers
    source: str | None = None  # host that a server is on
    sender: str = ""  # host of the process that asks, of a compute


def wire_method(method: str) -> str:
    """The method's name as it is sent: nova's indirection without what is behind it."""
    indirect = _INDIRECT.fullmatch(method)
    return indirect[1] if indirect else method


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


def arguments(about: Subject) -> dict[str, Any]:
    """The arguments of the method."""
    mine = list(about.instances)
    indirect = _INDIRECT.fullmatch(about.method)
    if indirect:
        return _indirect(about, indirect[1], indirect[2], indirect[3], mine[0] if mine else "")
    if about.method == "schedule_and_build_instances":
        return {"build_requests": [_object("BuildRequest", instance_uuid=uuid) for uuid in mine]}
    found: dict[str, Any] = {"instance_uuids": mine}
    if len(mine) == 1:
        found = {"instance": _object("Instance", uuid=mine[0], host=about.source)}
    if about.method == "rebuild_instance":
        found["recreate"] = about.detail == "recreate"
    return found


def _indirect(about: Subject, wire: str, owner: str, action: str, uuid: str) -> dict[str, Any]:
    if wire == "object_action":
        return {"objinst": _instance_of(owner, uuid, about.detail), "objmethod": action, "args": [], "kwargs": {}}
    positional, keywords = [uuid], dict[str, Any]()
    if owner == "InstanceActionEvent":
        positional.append(about.detail)
        keywords = {"want_result": False}
        if action.endswith("with_failure"):
            keywords |= {"exc_val": None, "exc_tb": None}
    elif not (owner.startswith("Instance") or "instance" in action):
        positional = [about.sender]
    return {
        "objname": owner,
        "objmethod": action,
        "object_versions": {owner: "1.0"},
        "args": positional,
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
