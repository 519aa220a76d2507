"""What the arguments of a request tell: which servers it is about, and the rules' facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rpcscope import safe
from rpcscope.rules.paths import walk

MAX_INSTANCES = 1000
_ABOUT = (
    "instance",
    "instance_uuid",
    "instance_uuids",
    "instances",
    "instance_info",
    "build_requests",
    "events",
    "uuid",
)
_NAMING = frozenset((*_ABOUT, "objinst", "objname"))


def display_method(method: str, args: Any) -> str:
    """The method, with what it does behind it for nova's conductor indirection.

    `object_action` -> `object_action(Instance.save)`, `object_class_action_versions` ->
    `object_class_action_versions(Service.get_by_compute_host)`.
    """
    if not method.startswith("object_") or not isinstance(args, dict):
        return method
    owner = args.get("objname")
    if owner is None and isinstance(args.get("objinst"), dict):
        owner = args["objinst"].get("nova_object.name")
    what = args.get("objmethod")
    if not isinstance(owner, str) or not isinstance(what, str):
        return method
    return f"{method}({safe.method(owner)}.{safe.method(what)})"


def instances(args: Any) -> tuple[str, ...]:
    """Uuids of the servers that the arguments name, in order, each once."""
    if not isinstance(args, dict) or _NAMING.isdisjoint(args):
        return ()
    found: dict[str, None] = {}
    for uuid in _candidates(args):
        found[uuid] = None
        if len(found) >= MAX_INSTANCES:
            break
    return tuple(found)


def _candidates(args: dict[str, Any]) -> Iterator[str]:
    for key in _ABOUT:
        if key in args:
            yield from _about(args[key])
    if "objinst" in args:
        yield from _of_object(args["objinst"])
    elif _takes_instances(args):
        yield from _positional(args)


def _takes_instances(args: dict[str, Any]) -> bool:
    """Class actions whose positional uuids are servers': Instance*.*, *.get_by_instance_uuid*."""
    owner, method = args.get("objname"), args.get("objmethod")
    return isinstance(owner, str) and isinstance(method, str) and (owner.startswith("Instance") or "instance" in method)


def _positional(args: dict[str, Any]) -> Iterator[str]:
    positional, keywords = args.get("args"), args.get("kwargs")
    if isinstance(positional, list):
        yield from _about(positional)
    if isinstance(keywords, dict):
        for key in _ABOUT:
            if key in keywords:
                yield from _about(keywords[key])


def _about(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if uuid := safe.uuid(value):
            yield uuid
    elif isinstance(value, dict):
        yield from _of_object(value)
    elif isinstance(value, list):
        for one in value[:MAX_INSTANCES]:
            if isinstance(one, (str, dict)):
                yield from _about(one)


def _of_object(value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    data = value.get("nova_object.data")
    if not isinstance(data, dict):
        data = value
    if value.get("nova_object.name") == "Instance":
        yield from _only(safe.uuid(data.get("uuid")))
    elif isinstance(data.get("objects"), list):
        for one in data["objects"][:MAX_INSTANCES]:
            yield from _of_object(one)
    else:
        yield from _only(safe.uuid(data.get("instance_uuid")))


def _only(text: str) -> Iterable[str]:
    return (text,) if text else ()


def instance_host(args: Any) -> str:
    """The host that `args.instance` says it is on."""
    return safe.name(walk(args, ("instance", "host")))
